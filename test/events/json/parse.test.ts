import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson, parseWithExactNumbers } from "../../../src/events/json/parse.ts";

describe("parseJson says where the text stops being JSON", () => {
	test.each([
		["", 0],
		["   ", 3],
		["x", 0],
		["{", 1],
		['{"a"', 4],
		['{"a":', 5],
		['{"a":}', 5],
		['{"a":1', 6],
		['{"a":1,}', 7],
		['{"a" 1}', 5],
		["{a:1}", 1],
		["{1:1}", 1],
		["[1,]", 3],
		["[,1]", 1],
		["[1 2]", 3],
		["[1}", 2],
		['{"a":1]', 6],
		["[] []", 3],
		["01", 0],
		["[1.]", 1],
		["truex", 0],
		['"abc', 4],
		['"a\nb"', 2],
		[String.raw`"a\x"`, 2],
		[String.raw`["ok","\u12G4"]`, 7],
		['{"abc":"def","x":tru}', 17],
	])("%j", (text, position) => {
		expect(parseJson(text)).toEqual({ ok: false, position });
	});

	test("nothing before that place is wrong: cut there, the text only ends too early", () => {
		const damaged = fc
			.tuple(
				fc.json(),
				fc.nat(),
				fc.constantFrom("", "}", "]", ",", ":", '"', "\\", "0", "-", "\u0000", "tru"),
			)
			.map(([json, place, insert]) => {
				const at = place % (json.length + 1);
				return json.slice(0, at) + insert + json.slice(at + 1);
			});
		fc.assert(
			fc.property(damaged, (text) => {
				const parsed = parseJson(text);
				if (parsed.ok) return;
				const before = text.slice(0, parsed.position);
				const cut = parseJson(before);
				expect(cut.ok || cut.position === before.length).toBe(true);
			}),
			{ numRuns: 2_000 },
		);
	});
});

describe("parseWithExactNumbers", () => {
	test.each([
		['{"id":9007199254740993}', { id: "9007199254740993" }],
		['{"id":9007199254740991}', { id: 9_007_199_254_740_991 }],
		['[-9223372036854775808, 1, "9007199254740993"]', ["-9223372036854775808", 1, "9007199254740993"]],
		["0.30000000000000004", 0.1 + 0.2],
		["1e21", 1e21],
		["[1e400, -1e400, 1E+309]", ["1e400", "-1e400", "1E+309"]],
		["[1e-400, 0e-400, -0.0e99]", ["1e-400", 0, -0]],
		["[1.2345678901234567890e19, 9007199254740993.0]", ["1.2345678901234567890e19", "9007199254740993.0"]],
		["1.5e300", 1.5e300],
	])("%s", (text, expected) => {
		expect(parseWithExactNumbers(text)).toEqual(expected);
	});

	test("10,000 levels of nesting with a large integer do not overflow", () => {
		const text = `[9007199254740993,${"[".repeat(10_000)}${"]".repeat(10_000)}]`;
		expect(() => parseWithExactNumbers(text)).not.toThrow();
	});
});
