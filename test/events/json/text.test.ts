import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementTexts, memberTexts } from "../../../src/events/json/text.ts";

describe("memberTexts", () => {
	test.each([
		["{}", {}],
		[" \n{ } ", {}],
		['{"a":1}', { a: "1" }],
		['\t{ "a" : 1.50e+2 , "b":\r\n true }', { a: "1.50e+2", b: "true" }],
		['{"id":9007199254740993,"data":{"z":1,"a":-0}}', { id: "9007199254740993", data: '{"z":1,"a":-0}' }],
		['{"a":"}]{[,:"}', { a: '"}]{[,:"' }],
		[
			String.raw`{"a":"\"","b":"\\","c":"\\\""}`,
			{ a: String.raw`"\""`, b: String.raw`"\\"`, c: String.raw`"\\\""` },
		],
		['{"a":[{"b":"]"},[]],"c":null}', { a: '[{"b":"]"},[]]', c: "null" }],
		['{"a":1,"a":2}', { a: "2" }],
		[String.raw`{"d\u0061ta":1,"data":2,"\u0064ata":3}`, { data: "3" }],
		['{"data": { "spaced" : 1 } }', { data: '{ "spaced" : 1 }' }],
	])("%s", (text, expected) => {
		expect(Object.fromEntries(memberTexts(text))).toEqual(expected);
	});

	test("every text parses to the member's value, whatever the JSON", () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), spacing(), (object, indent) => {
				const text = JSON.stringify(object, null, indent);
				const parsed = JSON.parse(text) as Record<string, unknown>;
				const members = memberTexts(text);
				expect([...members.keys()].sort()).toEqual(Object.keys(parsed).sort());
				for (const [name, member] of members) expect(JSON.parse(member)).toEqual(parsed[name]);
			}),
		);
	});
});

describe("elementTexts", () => {
	test.each([
		["[]", []],
		[" [ ] ", []],
		["[1]", ["1"]],
		['[ 1 , "a,]" , [2, 3], {"b": "]"} , null ]', ["1", '"a,]"', "[2, 3]", '{"b": "]"}', "null"]],
	])("%s", (text, expected) => {
		expect(elementTexts(text)).toEqual(expected);
	});

	test("every text parses to the element, whatever the JSON", () => {
		fc.assert(
			fc.property(fc.array(fc.jsonValue()), spacing(), (array, indent) => {
				const text = JSON.stringify(array, null, indent);
				expect(elementTexts(text).map((element): unknown => JSON.parse(element))).toEqual(JSON.parse(text));
			}),
		);
	});
});

test("10,000 levels of nesting are cut like any value", () => {
	const deep = "[".repeat(10_000) + "]".repeat(10_000);
	expect(memberTexts(`{"data":${deep},"id":"1"}`).get("data")).toBe(deep);
	expect(elementTexts(`[${deep},1]`)).toEqual([deep, "1"]);
});

function spacing(): fc.Arbitrary<string> {
	return fc.constantFrom("", " ", "\t", "  ");
}
