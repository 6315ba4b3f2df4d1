import jsonata from "jsonata";
import { describe, expect, test } from "vitest";
import { compileExpression, MAX_EXPRESSION_LENGTH } from "../../../src/events/expressions/expression.ts";
import { evaluateToJson } from "./to-json.ts";

describe("compileExpression", () => {
	test("says where a bad expression is wrong", () => {
		expect(compileExpression("data.a[")).toMatchObject({
			ok: false,
			position: 7,
			message: expect.stringContaining("]"),
		});
	});

	test("refuses an expression that is too long", () => {
		expect(compileExpression(" ".repeat(MAX_EXPRESSION_LENGTH + 1))).toMatchObject({ ok: false });
	});

	test("compiles equal sources once", () => {
		expect(compileExpression("data.once")).toBe(compileExpression("data.once"));
	});
});

describe("a plain path means what JSONata says it means", () => {
	const values = [
		1,
		"a",
		null,
		true,
		{},
		[],
		[1],
		[1, 2],
		[[1]],
		{ b: 1 },
		{ b: [1] },
		[{ b: 1 }],
		[{ b: [1] }, { b: 2 }],
	];
	const inputs = values.flatMap((a) => [{ a }, [{ a }], { a: { a } }, { __proto__: null, a }]);

	test.each(["a", "a.b", "a.a.b", "a.`b`", "b", "toString", "a.constructor"])("%s", async (source) => {
		const compiled = compileExpression(source);
		for (const input of [...inputs, ...values, undefined]) {
			const expected: unknown = await jsonata(source).evaluate(input);
			const evaluation = compiled.ok && (await compiled.expression.evaluate(input));
			expect(JSON.stringify(evaluation), JSON.stringify(input)).toBe(
				JSON.stringify({ ok: true, value: expected }),
			);
		}
	});
});

describe("evaluateToJson", () => {
	const event = { type: "t", data: { x: 1, items: [{ id: 1 }, { id: 2 }] } };

	test.each([
		["data.x + 1", "2"],
		["data.items.id", "[1,2]"],
		["data.items[id = 1].id", "1"],
		['{"n": type}', '{"n":"t"}'],
		["null", "null"],
		["data.x = 1", "true"],
	])("%s gives %s", async (source, json) => {
		expect(await evaluateToJson(source, event)).toEqual({ ok: true, json });
	});

	test("the transform operator changes a copy, and in it nothing but what it names", async () => {
		const input = { data: { x: 0.1 + 0.2, items: [{ id: 1 }, { id: 2 }] } };
		const before = structuredClone(input);
		const json = '{"x":0.30000000000000004,"items":[{"id":1,"new":true},{"id":2}]}';
		expect(await evaluateToJson("data ~> |items[0]|{'new': true}|", input)).toEqual({ ok: true, json });
		expect(input).toEqual(before);
	});

	test.each([
		["a path that is not there", "data.missing"],
		["an error in the middle", "data.x + 'a'"],
		["a function", "function($x){$x}"],
		["recursion without end", "($f := function($n){ $f($n + 1) }; $f(0))"],
		["recursion that is too deep", "($f := function($n){ 1 + $f($n + 1) }; $f(0))"],
		["a loop that is too long", "$sum([1..900000].($ * $ * $))"],
		["a range that is too large", "[1..100000000]"],
		["syntax", "("],
	])("%s is a failure with a message, not an exception", async (_what, source) => {
		expect(await evaluateToJson(source, event)).toMatchObject({
			ok: false,
			message: expect.stringMatching(/./),
		});
	});

	test("evaluations that run at once do not count each other's steps", async () => {
		const source = "$sum([1..9000].($ * 2))";
		const all = await Promise.all(Array.from({ length: 20 }, async () => evaluateToJson(source, {})));
		for (const one of all) expect(one).toEqual({ ok: true, json: "81009000" });
	});
});
