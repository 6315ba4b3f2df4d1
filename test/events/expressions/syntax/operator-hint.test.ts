import { describe, expect, test } from "vitest";
import { compileExpression } from "../../../../src/events/expressions/expression.ts";

describe("operators of other languages are named, with the JSONata equivalent", () => {
	test.each([
		["type == 'x'", "==", "=", 5],
		["a===1", "===", "=", 1],
		["a !== b", "!==", "!=", 2],
		["a <> b", "<>", "!=", 2],
		["a && b", "&&", "and", 2],
		["'a && b' = c && d", "&&", "and", 13],
		["/* a == b */ a == b", "==", "=", 15],
		["`a || b` = 1 || c", "||", "or", 13],
		["a ? b : c || d", "||", "or", 10],
		["(a || b)", "||", "or", 3],
		["[a||b]", "||", "or", 2],
		["{'a': b || c}", "||", "or", 8],
		["!a", "!", "$not(…)", 0],
		["a and !b", "!", "$not(…)", 6],
		["a = 1 AND b = 2", "AND", "and", 6],
		["a OR b", "OR", "or", 2],
		["not a", "not", "$not(…)", 0],
	])("%s", (source, operator, instead, position) => {
		expect(compileExpression(source)).toEqual({
			ok: false,
			message: `JSONata has no ${operator}: write ${instead}`,
			position,
		});
	});

	test.each([
		"a != b",
		"'a == b'",
		'"a && b"',
		"`a || b`",
		"a /* == */ = b",
		"$match(a, /x||y/)",
		"not",
		"AND = 1",
	])("%s is JSONata", (source) => {
		expect(compileExpression(source).ok).toBe(true);
	});

	test.each(["data.a[", "a = 'x == y", "a b", "'&&' + ", "a ~ 'b == c'", "$f(a,, b) = '||'"])(
		"%s fails for another reason",
		(source) => {
			const compiled = compileExpression(source);
			expect(compiled.ok ? "" : compiled.message).not.toContain("JSONata has no");
			expect(compiled.ok).toBe(false);
		},
	);
});
