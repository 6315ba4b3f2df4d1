import { describe, expect, test } from "vitest";
import { readJsonObject, refuseUnlessJson, textAt, valueAt } from "../../../src/sources/reading/json-body.ts";

const read = (text: string) => readJsonObject(new TextEncoder().encode(text));

describe("readJsonObject", () => {
	test.each([
		["spaces and numbers as they came", ' { "n" : 9007199254740993, "r": 1.50 } '],
		["equal names in different objects", '{"a":{"a":1},"b":[{"a":1},{"a":1}]}'],
		["a name twice inside of the payload", '{"row":{"a":1,"a":2}}'],
		["values that equal names", '{"a":"a","b":["a","a","b"]}'],
		["names that only look alike", String.raw`{"a":1,"a\"":2,"a\\":3,"a\\\"":4}`],
		["text that looks like structure", JSON.stringify({ a: '"a":1,{[', b: "\\", c: '","a":"' })],
		["1,000 levels", `{"a":${"[".repeat(999)}${"]".repeat(999)}}`],
	])("accepted: %s", (_what, text) => {
		expect(read(text)).toEqual({ ok: true, json: { text, value: JSON.parse(text) } });
	});

	test.each([
		["a name twice", '{"a":1,"a":2}', "duplicate_member"],
		["a name twice, spelled differently", String.raw`{"a":1, "\u0061" : 2}`, "duplicate_member"],
		["a name twice, behind a container", '{"a":{"b":[1,{"c":2}]} , "b":"," , "a":[]}', "duplicate_member"],
		["1,001 levels", `{"a":${"[".repeat(1_000)}${"]".repeat(1_000)}}`, "nested_too_deep"],
		["10,000 levels of objects", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`, "nested_too_deep"],
		["cut off", '{"a":', "invalid_json"],
		["nothing", "", "invalid_json"],
		["a list", "[]", "invalid_payload"],
		["null", "null", "invalid_payload"],
		["a text", '"{}"', "invalid_payload"],
	])("refused: %s", (_what, text, code) => {
		expect(read(text)).toMatchObject({ ok: false, status: 400, code });
	});
});

test.each([
	["application/json", true],
	["APPLICATION/JSON; charset=UTF-8", true],
	["application/vnd.api+json", true],
	["", true],
	["application/json; charset=iso-8859-1", true],
	['application/json; charset="Windows-1252"', true],
	["application/json; charset=latin1", true],
	["application/json; charset=us-ascii", true],
	["application/json; charset=utf-16", false],
	["application/json; charset=iso-8859-1x", false],
	["text/plain", false],
	["application/x-www-form-urlencoded", false],
	["avro/bytes", false],
])("content type %j of ASCII", (type, isTaken) => {
	const refusal = refuseUnlessJson({
		headers: new Headers({ "content-type": type }),
		body: Buffer.from("{}"),
	});
	if (isTaken) expect(refusal).toBeNull();
	else expect(refusal).toMatchObject({ status: 415, code: "unsupported_media_type" });
});

test.each(["latin1", "utf8"] as const)("more than ASCII is not taken for Latin-1: é in %s", (encoding) => {
	const headers = new Headers({ "content-type": "application/json; charset=iso-8859-1" });
	const refusal = refuseUnlessJson({ headers, body: Buffer.from('{"a":"é"}', encoding) });
	expect(refusal).toMatchObject({ status: 415, code: "unsupported_media_type" });
});

describe("a value by its path", () => {
	const text = String.raw`{"a":{"big":9223372036854775807,"n":1.50e1,"t":"x","e":"","c":"a\u0000b","l":[1],"b":true,"__proto__":{"p":"own"}}}`;
	const json = { text, value: JSON.parse(text) as Record<string, unknown> };

	test.each([
		[["a", "big"], "9223372036854775807"],
		[["a", "n"], "15"],
		[["a", "t"], "x"],
		[["a", "__proto__", "p"], "own"],
		[["a", "e"], undefined],
		[["a", "c"], undefined],
		[["a", "l"], undefined],
		[["a", "l", "0"], undefined],
		[["a", "b"], undefined],
		[["a", "t", "length"], undefined],
		[["a", "toString"], undefined],
		[["missing", "x"], undefined],
	])("%j as text: %j", (path, expected) => {
		expect(textAt(json, ...path)).toBe(expected);
	});

	test("as it is", () => {
		expect(valueAt(json, "a", "l")).toEqual([1]);
		expect(valueAt(json)).toBe(json.value);
		expect(valueAt(json, "constructor")).toBeUndefined();
	});
});
