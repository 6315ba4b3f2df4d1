import { expect, test } from "vitest";
import { ByteCache } from "../../../src/events/expressions/byte-cache.ts";
import { compileExpression, MAX_EXPRESSION_LENGTH } from "../../../src/events/expressions/expression.ts";

test("the oldest go when it is full, and only as many as must", () => {
	const cache = new ByteCache<number>(10);
	cache.set("a", 1, 4);
	cache.set("b", 2, 4);
	cache.set("c", 3, 4);
	expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual([undefined, 2, 3]);
	cache.set("b", 4, 1);
	expect(cache.bytes).toBe(5);
	cache.set("d", 5, 10);
	expect(["b", "c", "d"].map((key) => cache.get(key))).toEqual([undefined, undefined, 5]);
	expect(cache.bytes).toBe(10);
});

test("an entry larger than the whole cache is not kept, and evicts no other", () => {
	const cache = new ByteCache<number>(10);
	cache.set("a", 1, 4);
	cache.set("b", 2, 11);
	expect(cache.get("a")).toBe(1);
	expect(cache.get("b")).toBeUndefined();
});

test("a source that is too long is refused before it is looked at, let alone kept", () => {
	const source = " ".repeat(MAX_EXPRESSION_LENGTH + 1);
	const [first, second] = [compileExpression(source), compileExpression(source)];
	expect(first).toMatchObject({ ok: false, position: MAX_EXPRESSION_LENGTH });
	expect(first).not.toBe(second);
});
