import { describe, expect, test } from "vitest";
import { evaluateExpression } from "../../../../src/events/expressions/expression.ts";
import { evaluateToJson } from "../to-json.ts";

const input = {
	row: [5.1, 3.5],
	items: [{ v: 1 }],
	text: "héllo ✓",
	table: [
		[1, 2],
		[3, 4],
	],
};

describe("lists, tensors and base64", () => {
	test.each([
		["$list(row)", "[[5.1,3.5]]"],
		['{"instances": $list(row)}', '{"instances":[[5.1,3.5]]}'],
		['{"instances": $list(row, row)}', '{"instances":[[5.1,3.5],[5.1,3.5]]}'],
		['{"data": $list(items.v)}', '{"data":[1]}'],
		['{"data": $list(missing)}', '{"data":[]}'],
		["$list(row, missing, 1)", "[[5.1,3.5],1]"],
		["$list()", "[]"],
		["$list($list(1))", "[[1]]"],
		["$map(table, $list)", "[[[1,2]],[[3,4]]]"],
		["$tensor(row)", '{"shape":[1,2],"datatype":"FP64","data":[5.1,3.5]}'],
		['$tensor(row, "FP32")', '{"shape":[1,2],"datatype":"FP32","data":[5.1,3.5]}'],
		['$tensor(table, "FP32", [2, 2])', '{"shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}'],
		["$tensor(table, null, [-1])", '{"shape":[4],"datatype":"INT64","data":[1,2,3,4]}'],
		['{"image": $tensor(items.v)}', '{"image":{"shape":[1],"datatype":"INT64","data":[1]}}'],
		['{"image": $tensor(missing), "a": 1}', '{"a":1}'],
		// What docs/expressions.md says beside them.
		['{"a": [row], "b": [items.v], "c": items.v[]}', '{"a":[5.1,3.5],"b":[1],"c":[1]}'],
		[
			'{"image": $tensor([1..6], "FP32", [1, 3, -1])}',
			'{"image":{"shape":[1,3,2],"datatype":"FP32","data":[1,2,3,4,5,6]}}',
		],
		["$base64(text)", '"aMOpbGxvIOKckw=="'],
		['{"b": $base64(missing), "a": 1}', '{"a":1}'],
	])("%s", async (source, json) => {
		expect(await evaluateToJson(source, input)).toEqual({ ok: true, json });
	});

	test.each([
		["$tensor([1, 'a'])", "mixes"],
		["$tensor(row, 'FLOAT')", "datatype"],
		["$tensor(row, 5)", "datatype"],
		["$tensor(row, 'FP32', 4)", "shape"],
		["$tensor(row, 'FP32', ['a'])", "shape"],
		["$tensor($sum)", "function"],
		["$base64(5)", "string"],
	])("%s fails", async (source, message) => {
		const failed = await evaluateToJson(source, input);
		expect(failed).toMatchObject({ ok: false, overrun: false, message: expect.stringContaining(message) });
	});
});

describe("their results are bounded", () => {
	const long = "x".repeat(900_000);
	test.each([
		["a base64 that is too long", "$base64(long)"],
		["a tensor that is too long", "$tensor([long, {'a': long}])"],
		["a list of many", "$reduce([1..30], function($l, $i) { $list($l, $l) }, [1..50000]) ~> $tensor()"],
	])("%s", async (_what, source) => {
		expect(await evaluateExpression(source, { long })).toMatchObject({ ok: false, overrun: true });
	});

	test("an image of 150,000 numbers fits", async () => {
		const image = Array.from({ length: 3 }, () => Array.from({ length: 224 }, () => Array(224).fill(1)));
		const made = await evaluateExpression("$tensor(image, 'FP32')", { image });
		expect(made).toMatchObject({ ok: true, value: { shape: [1, 3, 224, 224] } });
	});
});
