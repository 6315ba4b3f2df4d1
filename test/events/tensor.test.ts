import { describe, expect, test } from "vitest";
import { makeTensor } from "../../src/events/tensor.ts";
import { parseWithRawNumbers } from "../../src/events/json/parse.ts";

/** As JSON, because digits beyond 2^53 are visible only there. */
function madeOf(json: string, form = {}): string {
	const made = makeTensor(parseWithRawNumbers(json), form);
	return made.ok ? JSON.stringify(made.tensor) : made.message;
}

function tensor(shape: number[], datatype: string, data: string): string {
	return `{"shape":${JSON.stringify(shape)},"datatype":"${datatype}","data":${data}}`;
}

describe("a value becomes a batch of one", () => {
	test.each([
		["5.1", tensor([1], "FP64", "[5.1]")],
		["5", tensor([1], "INT64", "[5]")],
		['"héllo"', tensor([1], "BYTES", '["héllo"]')],
		["true", tensor([1], "BOOL", "[true]")],
		["[5.1,3.5,1.4,0.2]", tensor([1, 4], "FP64", "[5.1,3.5,1.4,0.2]")],
		["[5,3.5]", tensor([1, 2], "FP64", "[5,3.5]")],
		["[1]", tensor([1, 1], "INT64", "[1]")],
		["[[1,2,3],[4,5,6]]", tensor([1, 2, 3], "INT64", "[1,2,3,4,5,6]")],
		["[[[true]]]", tensor([1, 1, 1, 1], "BOOL", "[true]")],
		["[]", tensor([1, 0], "FP64", "[]")],
		["[[],[]]", tensor([1, 2, 0], "FP64", "[]")],
		['{"a":1}', tensor([1], "BYTES", String.raw`["{\"a\":1}"]`)],
		['["a",{"a":1}]', tensor([1, 2], "BYTES", String.raw`["a","{\"a\":1}"]`)],
		["9007199254740993", tensor([1], "INT64", "[9007199254740993]")],
		["[-9223372036854775808]", tensor([1, 1], "INT64", "[-9223372036854775808]")],
		["[18446744073709551615,1]", tensor([1, 2], "UINT64", "[18446744073709551615,1]")],
		["[18446744073709551615,-1]", tensor([1, 2], "FP64", "[18446744073709551615,-1]")],
		["18446744073709551616", tensor([1], "FP64", "[18446744073709551616]")],
		["1e400", tensor([1], "FP64", "[1e400]")],
	])("%s", (json, expected) => {
		expect(madeOf(json)).toBe(expected);
	});

	test.each([
		["null", "contains null"],
		["[1,null]", "contains null"],
		['[1,"a"]', "mixes"],
		["[1,true]", "mixes"],
		["[[1,2],[3]]", "different lengths"],
		["[[1,2],3]", "different lengths"],
		["[1,[2]]", "different lengths"],
	])("%s does not", (json, message) => {
		expect(madeOf(json)).toContain(message);
	});
});

describe("a form that is asked for", () => {
	test.each([
		["[1,2,3,4]", { datatype: "FP32" }, tensor([1, 4], "FP32", "[1,2,3,4]")],
		["[[1,2],[3,4]]", { shape: [2, 2] }, tensor([2, 2], "INT64", "[1,2,3,4]")],
		["[1,2,3,4]", { shape: [-1, 2] }, tensor([2, 2], "INT64", "[1,2,3,4]")],
		["7", { shape: [] }, tensor([], "INT64", "[7]")],
		["[1,2]", { datatype: "BYTES" }, tensor([1, 2], "BYTES", '["1","2"]')],
		['[1,"a"]', { datatype: "BYTES" }, tensor([1, 2], "BYTES", '["1","a"]')],
	])("%s as %j", (json, form, expected) => {
		expect(madeOf(json, form)).toBe(expected);
	});

	test.each([
		["[1,2,3]", { shape: [2, 2] }, "3 elements do not fill the shape [2, 2]"],
		["[1,2,3]", { shape: [-1, 2] }, "do not fill"],
		["[1,2,3,4]", { shape: [-1, -1] }, "do not fill"],
		["[1]", { shape: [0.5, 2] }, "do not fill"],
		["[]", { shape: [-1, 0] }, "do not fill"],
		["[1]", { datatype: "FLOAT" }, "BOOL, UINT8"],
	])("%s cannot be %j", (json, form, message) => {
		expect(madeOf(json, form)).toContain(message);
	});
});
