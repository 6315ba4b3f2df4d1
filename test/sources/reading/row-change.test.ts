import { describe, expect, test } from "vitest";
import { readRowChange, rowSettings, TRIGGER_LAYOUT } from "../../../src/sources/reading/row-change.ts";

function read(text: string, primaryKey = "id", at = "") {
	const json = { text, value: JSON.parse(text) as Record<string, unknown> };
	return readRowChange(json, TRIGGER_LAYOUT, primaryKey, at);
}

const message = (record: string, oldRecord = "null", table = '"documents"') =>
	`{"type":"UPDATE","schema":"public","table":${table},"record":${record},"old_record":${oldRecord}}`;

describe("the subject", () => {
	test.each([
		["a number", '{"id":7}', "documents/7"],
		["a bigint, with its digits", '{"id":9223372036854775807}', "documents/9223372036854775807"],
		["a numeric, as it is written", '{"id":1.50}', "documents/1.50"],
		[
			"a UUID",
			'{"id":"3b241101-e2bb-4255-8caf-4136c566a962"}',
			"documents/3b241101-e2bb-4255-8caf-4136c566a962",
		],
		["text of any alphabet", '{"id":"Straße 1/a"}', "documents/Straße 1/a"],
		["no such column", '{"key":7}', "documents"],
		["NULL", '{"id":null}', "documents"],
		["a document", '{"id":{"a":1}}', "documents"],
		["a text that no header could carry", String.raw`{"id":"a\nb"}`, "documents"],
		["a text without end", `{"id":"${"x".repeat(2_000)}"}`, "documents"],
		["a row that is none", '"row"', "documents"],
	])("%s", (_what, record, subject) => {
		expect(read(message(record))).toMatchObject({ ok: true, type: "public.documents.update", subject });
	});

	test("the new row comes before the old one", () => {
		expect(read(message('{"id":2}', '{"id":1}'))).toMatchObject({ subject: "documents/2" });
		expect(read(message("null", '{"id":1}'))).toMatchObject({ subject: "documents/1" });
	});

	test("without a setting the column is id", () => {
		expect(rowSettings.parse({})).toEqual({ primary_key: "id" });
	});

	test("the source names another column", () => {
		expect(read(message('{"id":1,"path":"a.png"}'), "path")).toMatchObject({ subject: "documents/a.png" });
	});
});

test("names with characters that attributes forbid do not lose events", () => {
	const named = read(message('{"id":1}', "null", String.raw`"a\tb\ud800\uffff \"ü\""`));
	expect(named).toMatchObject({ type: 'public.a_b\ufffd_ "ü".update', subject: 'a_b\ufffd_ "ü"/1' });
});

describe("refused", () => {
	test.each([
		["an unknown operation", '{"type":"TRUNCATE","schema":"public","table":"t"}', "type"],
		["a name of every object", '{"type":"constructor","schema":"public","table":"t"}', "type"],
		["an operation that is no text", '{"type":1,"schema":"public","table":"t"}', "type"],
		["no schema", '{"type":"INSERT","table":"t"}', "schema"],
		["an empty table", '{"type":"INSERT","schema":"public","table":""}', "table"],
		["a table that is no text", '{"type":"INSERT","schema":"public","table":{}}', "table"],
		["a name no database takes", `{"type":"INSERT","schema":"public","table":"${"t".repeat(129)}"}`, "table"],
	])("%s", (_what, text, path) => {
		expect(read(text)).toMatchObject({ ok: false, status: 400, code: "invalid_payload", path });
		expect(read(text, "id", "data[3].")).toMatchObject({ path: `data[3].${path}` });
	});
});

test.each([{ primary_key: "" }, { primary_key: 1 }, { key: "id" }])("settings %j are refused", (settings) => {
	expect(rowSettings.safeParse(settings).success).toBe(false);
});
