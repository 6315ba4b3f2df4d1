import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHeaderValue, encodeHeaderValue } from "../../../src/events/cloudevents/header-value.ts";

test.each([
	["Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"],
	["plain-Value_1.0~!#$&'()*+,/:;=?@[]^`{|}", "plain-Value_1.0~!#$&'()*+,/:;=?@[]^`{|}"],
	['50% "off"', "50%25%20%22off%22"],
	["line\nbreak\u007f", "line%0Abreak%7F"],
	["", ""],
])("%j travels as %s", (value, header) => {
	expect(encodeHeaderValue(value)).toBe(header);
	expect(decodeHeaderValue(header)).toBe(value);
});

describe("decoding what others write", () => {
	test.each([
		["lower-case hex", "%e2%82%ac", "€"],
		["one round only", "%2541", "%41"],
		["a double-quoted value", '"with space"', "with space"],
		["backslashes within quotes", String.raw`"a \"b\" \\c"`, String.raw`a "b" \c`],
		["quotes, then percent-encoding", '"%E2%82%AC 5"', "€ 5"],
		["backslashes without quotes stay", String.raw`a\b`, String.raw`a\b`],
		["a percent sign that encodes nothing", "100% sure, 5%zz", "100% sure, 5%zz"],
		["over-long UTF-8", "%C0%A0", null],
		["a lone continuation byte", "a%80b", null],
		["an encoded surrogate", "%ED%A0%80", null],
		["what was no UTF-8 when it came", "caf\uFFFD", null],
		["the replacement character, said on purpose", "%EF%BF%BD", "\uFFFD"],
	])("%s", (_what, header, expected) => {
		expect(decodeHeaderValue(header)).toBe(expected);
	});
});

test("every string comes back, and the header holds only printable ASCII", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (value) => {
			const header = encodeHeaderValue(value);
			expect(header).toMatch(/^[!-~]*$/);
			expect(decodeHeaderValue(header)).toBe(value);
		}),
	);
});
