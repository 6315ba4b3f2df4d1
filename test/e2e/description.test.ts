/** /openapi.json as a document of its own: JSON Schema that compiles, and examples that fit it. */
import { beforeAll, describe, expect, inject, test } from "vitest";
import { type Document, type Seen, checkBy, validators } from "./support/described.ts";

let document: Document;
beforeAll(async () => {
	document = (await (await fetch(`${inject("routerUrl")}/openapi.json`)).json()) as Document;
});

test("every schema is JSON Schema 2020-12", () => {
	const validatorOf = validators(document);
	for (const name of Object.keys(document.components.schemas)) {
		expect(validatorOf({ $ref: `#/components/schemas/${name}` }), name).toBeTypeOf("function");
	}
});

test("every example of a body fits its schema", () => {
	const validatorOf = validators(document);
	let tried = 0;
	for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
		const { schema, examples = {} } = operation.requestBody?.content["application/json"] ?? { schema: {} };
		for (const [name, { value }] of Object.entries(examples)) {
			const validate = validatorOf(schema);
			expect([validate(value), validate.errors], `${operation.operationId} ${name}`).toEqual([true, null]);
			tried += 1;
		}
	}
	expect(tried).toBeGreaterThan(10);
});

test("of two paths with one form, the one that takes the method counts", () => {
	const text = JSON.stringify({
		type: "about:blank",
		title: "t",
		status: 422,
		code: "invalid_request",
		detail: "d",
	});
	const seen = { status: 422, contentType: "application/problem+json", text };
	const check = checkBy(document);
	expect(check({ ...seen, method: "POST", path: "/v1/deliveries/retry" })).toBeNull();
	expect(check({ ...seen, method: "GET", path: "/v1/deliveries/retry" })).toBe("status 422");
});

describe("a response that is not described is found", () => {
	const problem = { type: "about:blank", title: "t", status: 404, code: "source_not_found", detail: "d" };
	const seen = (changes: Partial<Seen>): Seen => ({
		method: "GET",
		path: "/v1/sources/x",
		status: 404,
		contentType: "application/problem+json",
		text: JSON.stringify(problem),
		...changes,
	});

	test.each([
		["as described", {}, true],
		["another status", { status: 418 }, false],
		["a code of another route", { text: JSON.stringify({ ...problem, code: "event_not_found" }) }, false],
		["an unknown code", { text: JSON.stringify({ ...problem, code: "no_idea" }) }, false],
		["a further member", { text: JSON.stringify({ ...problem, more: 1 }) }, false],
		["no detail", { text: JSON.stringify({ ...problem, detail: undefined }) }, false],
		["another content type", { contentType: "application/json" }, false],
		["a body that lacks fields", { status: 200, contentType: "application/json", text: '{"id":"x"}' }, false],
	])("%s", (_, changes, isDescribed) => {
		expect(checkBy(document)(seen(changes)) === null).toBe(isDescribed);
	});
});
