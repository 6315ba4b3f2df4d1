import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ElementSplitter } from "../../../../src/sources/reading/large/splitter.ts";
import { chunked } from "./chunked.ts";

function split(text: string, cuts: readonly number[] = []) {
	const elements: string[] = [];
	let parts: Uint8Array[] = [];
	let outside = 0;
	const splitter = new ElementSplitter({
		bytes: (part) => parts.push(part),
		end() {
			elements.push(Buffer.concat(parts).toString());
			parts = [];
		},
		outside: (count) => (outside += count),
	});
	for (const chunk of chunked(text, cuts)) splitter.write(chunk);
	return { isWhole: splitter.end(), isList: splitter.isList, elements, outside };
}

test.each([
	['[{"a":1},{"b":2}]', true, ['{"a":1}', '{"b":2}']],
	['\uFEFF [ {"a":"],\\"[{"} ,\n[1,2] , "x,]" ,7]  ', true, ['{"a":"],\\"[{"} ', "[1,2] ", '"x,]" ', "7"]],
	[' {"a":[{}]} ', false, ['{"a":[{}]}']],
	["12.5", false, ["12.5"]],
	['"a\\\\"', false, ['"a\\\\"']],
	["[]", true, []],
])("%s", (text, isList, elements) => {
	const found = split(text);
	expect(found).toMatchObject({ isWhole: true, isList, elements });
	const bytes = elements.reduce((sum, element) => sum + Buffer.byteLength(element), 0);
	expect(found.outside).toBe(Buffer.byteLength(text) - bytes);
});

test.each([
	"",
	" ",
	"[",
	"[1",
	"[1,",
	"[1,]",
	"[,1]",
	"[1,,2]",
	"[1]]",
	"[1]2",
	'["a]',
	'{"a":1',
	"{}{}",
	"{}]",
	"[}]",
	"\\",
])("not whole: %j", (text) => {
	expect(split(text).isWhole).toBe(false);
});

describe("wherever the chunks end", () => {
	test("the elements are the same", () => {
		fc.assert(
			fc.property(
				fc.array(fc.jsonValue()),
				fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
				(list, cuts) => {
					const texts = list.map((value) => JSON.stringify(value));
					expect(split(`[${texts.join(",")}]`, cuts)).toMatchObject({ isWhole: true, elements: texts });
				},
			),
		);
	});

	test("nothing throws", () => {
		const text = fc.string({ unit: fc.constantFrom(...'[]{}",:\\ 1aé'.split("")) });
		fc.assert(
			fc.property(text, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (body, cuts) => {
				const whole = split(body);
				expect(split(body, cuts)).toEqual(whole);
			}),
		);
	});
});
