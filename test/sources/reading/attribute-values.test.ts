import { expect, test } from "vitest";
import {
	isUsableUri,
	sourcePath,
	timeFrom,
	usableText,
} from "../../../src/sources/reading/attribute-values.ts";

test.each([
	["a text", "scans/é 1.png"],
	["the longest", "x".repeat(1_024)],
	["the longest in UTF-8", "é".repeat(512)],
])("can be an attribute: %s", (_what, text) => {
	expect(usableText(text)).toBe(text);
});

test.each(["", "x".repeat(1_025), "é".repeat(513), "a\nb", "\ud800", "\uffff", 1, null, undefined, {}])(
	"cannot, and is left out: %#",
	(value) => {
		expect(usableText(value)).toBeUndefined();
	},
);

test.each([
	["2026-01-02T03:04:05.123456789+01:00", "2026-01-02T03:04:05.123456789+01:00"],
	[1_686_089_970, "2023-06-06T22:19:30.000Z"],
	["1686089970", "2023-06-06T22:19:30.000Z"],
	[1_686_089_970.5, "2023-06-06T22:19:30.500Z"],
	[0, "1970-01-01T00:00:00.000Z"],
	[253_402_300_799, "9999-12-31T23:59:59.000Z"],
	[253_402_300_800, undefined],
	[-1, undefined],
	[Number.POSITIVE_INFINITY, undefined],
	["2026-02-30T00:00:00Z", undefined],
	["yesterday", undefined],
	["", undefined],
	[null, undefined],
	[{}, undefined],
])("the time %j is %j", (value, time) => {
	expect(timeFrom(value)).toBe(time);
});

test("a source is a URI reference", () => {
	expect(sourcePath("slack", "T1/ä b")).toBe("/slack/T1%2F%C3%A4%20b");
	expect(sourcePath("\ud800")).toBe("/%EF%BF%BD");
	expect(isUsableUri(sourcePath("x", "\ud800 %"))).toBe(true);
	expect(isUsableUri("a b")).toBe(false);
	expect(isUsableUri(`/${"x".repeat(1_024)}`)).toBe(false);
});
