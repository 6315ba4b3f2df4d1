import { describe, expect, test } from "vitest";
import { checkAttributes } from "../../../src/events/cloudevents/attributes.ts";
import { parseEvents } from "../../../src/ingest/parse-events.ts";
import { fitAttributes } from "../../../src/sources/reading/fit-attributes.ts";
import { bindAs } from "../bind.ts";
import { makeSource } from "../make-source.ts";

const LONG = "x".repeat(1_025);
const FITTING = { id: "1", source: "/s", type: "t", subject: "x" };

function idOf(changes: object): string {
	return fitAttributes({ ...FITTING, ...changes }, "docs").id;
}

test("attributes that fit are not changed", () => {
	expect(fitAttributes(FITTING, "docs")).toBe(FITTING);
});

test.each([
	["a subject is left out", { subject: LONG }, { subject: undefined, id: "1" }],
	["a type becomes the source's name", { type: LONG }, { type: "docs", id: "1" }],
	["an id becomes its hash", { id: LONG }, { id: expect.stringMatching(/^[0-9a-f]{64}$/), source: "/s" }],
	[
		"a source becomes that of the source, and stays part of what makes the event another",
		{ source: LONG },
		{ id: expect.stringMatching(/^[0-9a-f]{64}$/), source: "/sources/docs" },
	],
])("too long: %s", (_what, changes, expected) => {
	const fitted = fitAttributes({ ...FITTING, ...changes }, "docs");
	expect({ subject: undefined, ...fitted }).toMatchObject(expected);
	expect(checkAttributes(Object.entries({ specversion: "1.0", ...fitted }))).toMatchObject({ ok: true });
});

test("two sources or ids that are too long stay two", () => {
	expect(idOf({ source: `${LONG}1` })).not.toBe(idOf({ source: `${LONG}2` }));
	expect(idOf({ id: `${LONG}1` })).not.toBe(idOf({ id: `${LONG}2` }));
	expect(idOf({ id: LONG })).toBe(idOf({ id: LONG }));
});

describe("the longest values that publishers send", () => {
	const word = "é".repeat(500);
	test.each([
		["stripe", { id: "1", type: word, account: word }],
		["slack", { type: "event_callback", event_id: "1", team_id: word, event: { type: word, channel: word } }],
		[
			"hasura",
			{ id: "1", event: { op: "INSERT" }, table: { schema: "s", name: "t" }, trigger: { name: word } },
		],
		["planetscale", { event: word, organization: word, database: word }],
		["gcs-pubsub", { message: { messageId: "1" }, subscription: "s".repeat(300_000) }],
	])("%s", async (kind, body) => {
		const source = makeSource({ kind, name: "docs" });
		const parsed = await parseEvents(source, bindAs(kind, source), {
			headers: new Headers({ "content-type": "application/json" }),
			body: Buffer.from(JSON.stringify(body)),
			now: 0,
		});
		if (!parsed.ok) throw new Error(parsed.message);
		const attributes = parsed.events[0]?.attributes ?? {};
		expect(checkAttributes(Object.entries({ specversion: "1.0", ...attributes }))).toMatchObject({
			ok: true,
		});
	});
});
