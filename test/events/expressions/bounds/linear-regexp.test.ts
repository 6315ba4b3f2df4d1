import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { compileExpression } from "../../../../src/events/expressions/expression.ts";
import { compileRegExp } from "../../../../src/events/expressions/bounds/linear-regexp.ts";
import { MeteredRegExp } from "../../../../src/events/expressions/bounds/metered-regexp.ts";
import { Meter } from "../../../../src/events/expressions/bounds/meter.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

interface Found {
	match: (string | undefined)[];
	index: number;
	lastIndex: number;
}

/** All matches as JSONata looks for them, one behind the other. */
function allOf(
	regExp: { lastIndex: number; exec(text: string): (string[] & { index: number }) | null },
	text: string,
) {
	const found: Found[] = [];
	for (let match = regExp.exec(text); match !== null; match = regExp.exec(text)) {
		found.push({ match: [...match], index: match.index, lastIndex: regExp.lastIndex });
		if (match[0] === "" || found.length > 20) break;
	}
	return found;
}

function linear(pattern: RegExp): MeteredRegExp {
	const compiled = compileRegExp(pattern);
	if (!compiled.ok) throw new Error(compiled.message);
	return new MeteredRegExp(compiled.regExp, new Meter());
}

const LONG = "lorem ipsum 12 dolor-sit\n".repeat(3_000);

describe("finds what JavaScript finds", () => {
	test.each([
		[/a/g, "banana"],
		[/a+/g, "baaanaa"],
		[/(a)(b)?/g, "abaab"],
		[/(?:a|b)c/g, "acbc"],
		[/^b|a$/g, "banana"],
		[/^./gm, "ab\ncd\n"],
		[/.$/gm, "ab\ncd"],
		[/NAN/gi, "banana"],
		[/\bon\b/g, "on and on, long"],
		[/\Bn/g, "on no"],
		[/[^a-n]/g, "xay"],
		[/\d{2,3}?/g, "12345"],
		[/(?<year>\d{4})-(\d\d)/g, "2026-11, 2027-12"],
		[/a.c/g, "a\nc abc"],
		[/x*/g, "aaa"],
		[/\//g, "a/b"],
		[/é|ü/g, "née über"],
		[/\u00e9/g, "née"],
		[/nothing/g, "something"],
		[/dolor/g, LONG],
		[/\d+/g, LONG],
		[/(\w+)-(\w+)/g, LONG],
		[/sit$/g, LONG],
		[/^lorem/g, LONG],
		[/(lorem|ipsum) (\d+)/g, LONG],
		[/[a-z]+@[a-z]+/g, LONG],
		[/(a+)+$/g, "aaaaaaaaaaaaaaaaaaaa!"],
	])("%s", (pattern, text) => {
		expect(allOf(linear(pattern), text)).toEqual(allOf(new RegExp(pattern), text));
	});

	test("for any simple pattern and text", () => {
		const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "(a|b)", "(?:ab)", "\\w", "^", "$", "\\b");
		const part = fc.tuple(atom, fc.constantFrom("", "*", "+", "?", "{1,2}")).map(([one, repeat]) => {
			const isPlace = one === "^" || one === "$" || one === "\\b";
			return isPlace ? one : one + repeat;
		});
		const pattern = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
		const text = fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "\n"), maxLength: 20 });
		fc.assert(
			fc.property(pattern, text, (source, within) => {
				const native = new RegExp(source, "g").exec(within);
				const found = linear(new RegExp(source, "g")).exec(within);
				expect(found?.index).toBe(native?.index);
				expect(found?.[0]).toBe(native?.[0]);
			}),
			{ numRuns: 2_000 },
		);
	});
});

describe("refuses, and says where", () => {
	test.each([
		[/a(?=b)/, /look-around/, 1],
		[/a(?<!b)/, /look-around/, 1],
		[/(a)\1/, /back-reference/, 3],
		[/(?<x>a)\k<x>/, /back-reference/, 7],
		[new RegExp(String.raw`\\(a)\9`), /back-reference/, 5],
		[/a{1001}/, /repeat count/, 1],
		[/(?:[^x]{900}){900}/, /too large/, 13],
		[new RegExp("(a)".repeat(51)), /more than 50 groups/, 0],
	])("%s", (pattern, message, at) => {
		expect(compileRegExp(pattern)).toEqual({ ok: false, message: expect.stringMatching(message), at });
	});

	test("nothing that only looks like it", () => {
		for (const pattern of [/\(\?=/, /[(?=]/, /\\1/, /[{]900}/, /a{1000}/, /(?:ab){500}/]) {
			expect(compileRegExp(pattern).ok, String(pattern)).toBe(true);
		}
	});
});

test("JavaScript's engine never runs a literal of an expression", async () => {
	const run = vi.spyOn(RegExp.prototype, "exec");
	const source = `[
		$contains(a, /xq(1)/), $match(a, /xq(2)/), $replace(a, /xq(3)/, 'b'), $split(a, /xq(4)/),
		$filter([a], /xq(5)/), $string($append(/xq(6)/(a).match, 1)), (a ~> $contains(/xq(7)/)), $single([a], /xq(8)|x/) != ''
	]`;
	const compiled = compileExpression(source);
	if (!compiled.ok) throw new Error(compiled.message);
	run.mockClear();
	const replace = vi.spyOn(RegExp.prototype, Symbol.replace);
	const evaluation = await compiled.expression.evaluate({ a: "xq2xq3xq4xq6xq7" });
	expect(evaluation).toMatchObject({ ok: true });
	const patterns = [...run.mock.contexts, ...replace.mock.contexts].map((pattern) => String(pattern));
	expect(patterns.filter((pattern) => pattern.includes("xq"))).toEqual([]);
});
