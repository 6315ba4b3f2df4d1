/** The check that every response in these suites goes through finds what is not described. */
import { expect, test } from "vitest";
import { undescribed } from "./described.ts";

const problem = { type: "about:blank", title: "t", status: 404, code: "source_not_found", detail: "d" };
const refused = {
	method: "GET",
	path: "/v1/sources/x",
	status: 404,
	contentType: "application/problem+json",
};

const list = {
	method: "GET",
	path: "/v1/subscriptions",
	status: 200,
	contentType: "application/json",
	text: JSON.stringify({ data: [], next_cursor: null }),
};
const subscription = {
	id: "sub_1",
	name: "s",
	source: null,
	source_id: null,
	types: [],
	filters: [],
	targets: [],
	transform: null,
	result: null,
	status: "active",
	status_reason: null,
	created_at: "2026-11-22T11:18:25.420Z",
	updated_at: "2026-11-22T11:18:25.420Z",
};
const tagged = { ...list, path: "/v1/subscriptions/s", text: JSON.stringify(subscription) };

test.each([
	["as described", { ...refused, text: JSON.stringify(problem) }, true],
	[
		"an unknown path",
		{ ...refused, path: "/v1/none", text: JSON.stringify({ ...problem, code: "not_found" }) },
		true,
	],
	["another status", { ...refused, status: 418, text: JSON.stringify(problem) }, false],
	[
		"a code of another route",
		{ ...refused, text: JSON.stringify({ ...problem, code: "event_not_found" }) },
		false,
	],
	["an unknown code", { ...refused, text: JSON.stringify({ ...problem, code: "no_idea" }) }, false],
	["a further member", { ...refused, text: JSON.stringify({ ...problem, more: 1 }) }, false],
	["no detail", { ...refused, text: JSON.stringify({ ...problem, detail: undefined }) }, false],
	["plain JSON", { ...refused, contentType: "application/json", text: JSON.stringify(problem) }, false],
	["a status without its fields", { ...refused, status: 200, text: "{}" }, false],
	["a status that no response has", { ...refused, status: 202, text: "{}" }, false],
	["a response without its ETag", { ...tagged, headers: new Headers() }, false],
	["a response with its ETag", { ...tagged, headers: new Headers({ etag: '"1"' }) }, true],
	["an ETag that is not described", { ...list, headers: new Headers({ etag: '"1"' }) }, false],
	["a body where none is", { ...refused, method: "DELETE", status: 204, text: "{}" }, false],
])("%s", (_, seen, isDescribed) => {
	expect(undescribed(seen) === null).toBe(isDescribed);
});
