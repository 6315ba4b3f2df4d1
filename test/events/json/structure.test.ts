import { expect, test } from "vitest";
import { refuseStructure } from "../../../src/events/json/structure.ts";

function nested(levels: number): string {
	return "[".repeat(levels) + "]".repeat(levels);
}

test.each([
	["a scalar", '"a"', null],
	["an object", '{"a":1,"b":{"a":1,"b":[{"a":1},{"a":2}]}}', null],
	["a list whose elements repeat", '["a","a",{"a":1}]', null],
	["members twice further inside", '{"a":{"b":1,"b":2}}', null],
	["a member twice", '{"a":1, "b":[1,2], "a":2}', "duplicate_member"],
	["a member twice, spelled differently", String.raw`{"a":1,"\u0061":2}`, "duplicate_member"],
	["a value that reads like a member", '{"a":"b","b":"a"}', null],
	["quotes and brackets in strings", String.raw`{"a":"\"}]{[","b":"{\"a\":1}"}`, null],
	["1,000 levels", nested(1_000), null],
	["1,001 levels", nested(1_001), "nested_too_deep"],
	["levels of objects", `${'{"a":'.repeat(1_001)}1${"}".repeat(1_001)}`, "nested_too_deep"],
	["brackets side by side", `[${Array.from({ length: 5_000 }, () => "[]").join(",")}]`, null],
])("%s", (_what, text, code) => {
	expect(() => JSON.parse(text)).not.toThrow();
	expect(refuseStructure(text)?.code ?? null).toBe(code);
});
