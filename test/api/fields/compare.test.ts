import { expect, test } from "vitest";
import { differing, differingPaths, isSame } from "../../../src/api/fields/compare.ts";

test.each([
	[{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
	[{ a: undefined }, {}, true],
	[{ a: null }, {}, false],
	[[1, 2], [2, 1], false],
	[[], {}, false],
	[{ a: [{ b: 1 }] }, { a: [{ b: 1 }] }, true],
	["1", 1, false],
	[null, {}, false],
])("%j and %j: same is %s", (left, right, same) => {
	expect(isSame(left, right)).toBe(same);
	expect(differingPaths(left, right).length === 0).toBe(same);
});

test.each([
	[{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, ["a.c"]],
	[{ a: { b: 1 } }, { a: null }, ["a"]],
	[{ list: [1] }, { list: [1, 2] }, ["list"]],
	[{ a: 1 }, { b: 1 }, ["a", "b"]],
	[{ h: { "x-key": "1" } }, { h: {} }, ["h.x-key"]],
])("%j and %j differ at %j", (left, right, paths) => {
	expect(differingPaths(left, right)).toEqual(paths);
});

test("only members that differ are left", () => {
	expect(differing({ a: 1, b: [1], c: null }, { a: 1, b: [2], c: "x" })).toEqual({ b: [2], c: "x" });
});
