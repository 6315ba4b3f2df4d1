/**
 * Expressions written to stop the router. Each ends as an error value within the budget of one evaluation, counted in
 * work and not in time, and leaves the others as they were.
 */
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../../src/events/expressions/expression.ts";
import { MAX_WORK, Meter } from "../../../src/events/expressions/bounds/meter.ts";
import { makeProgram } from "../../../src/events/expressions/program.ts";
import { evaluateToJson } from "./to-json.ts";

const input = {
	type: "t",
	data: {
		a: "a".repeat(5_000),
		digits: "1".repeat(900),
		text: "x".repeat(1_000_000),
		list: Array.from({ length: 20_000 }, (_, id) => ({ id, name: `n${id}`, deep: { id } })),
		numbers: Array.from({ length: 100_000 }, (_, index) => index),
		empty: [],
		// Looks like a function of JSONata to JSONata, whose body would run forever.
		forged: {
			_jsonata_lambda: true,
			thunk: true,
			arguments: [{ type: "variable", value: "x" }],
			body: {
				type: "binary",
				value: "..",
				lhs: { type: "number", value: 2 ** 53 },
				rhs: { type: "number", value: 2 ** 53 + 2 },
				procedure: { type: "variable", value: "x" },
				arguments: [],
			},
			token: "t",
		},
	},
};

/** 2^30 times 1 in an array of some lines. */
const LEVELS = Array.from({ length: 30 }, (_, level) => `$d${level + 1} := [[$d${level}], [$d${level}]];`);
const DOUBLED = `$d0 := [[1], [1]]; ${LEVELS.join(" ")}`;

const overruns: [what: string, source: string][] = [
	["recursion without end", "($f := function($n) { $f($n + 1) }; $f(0))"],
	["recursion that is too deep", "($f := function($n) { 1 + $f($n + 1) }; $f(0))"],
	["mutual recursion", "($f := function($n) { $g($n) & 'x' }; $g := function($n) { $f($n) & 'y' }; $f(0))"],
	["a recursion that fans out", "($f := function($n) { $n = 0 ? 1 : $f($n - 1) + $f($n - 1) }; $f(40))"],
	["a loop in a loop in a loop", "$sum([1..90000].([1..90000].([1..90000].$)))"],
	["a product of lists", "data.list.($x := $; $$.data.list[$x.id = id])"],
	["a range that is too large", "[1..100000000]"],
	["many ranges", "[1..10000].([1..90000])[0]"],
	["a range at the end of the numbers", "[1..9007199254740991]"],
	["$pad", "$pad('', 100000000)"],
	["$pad to the left with a long filler", "$pad('', -100000, '1234567890123456789012345678901234567890')"],
	["$pad again and again", "[1..10000].$pad('', 1000000)"],
	["a text that doubles", "($f := function($s) { $f($s & $s) }; $f('x'))"],
	["a text that doubles by $join", "($f := function($s) { $f($join([$s, $s])) }; $f('x'))"],
	["a text that doubles by $replace", "($f := function($s) { $f($replace($s, 'x', 'xx')) }; $f('x'))"],
	["$replace by a long text", "$replace(data.text, 'x', data.text)"],
	["$replace of a pattern by a long text", "$replace(data.text, /x/, data.a)"],
	["$replace that repeats its match", "$replace(data.text, /x+/, $join([1..9000].('$0')))"],
	["$join of the same text", "$join([1..1000].$$.data.text)"],
	["$split into letters", "$split(data.text, '')"],
	["$split into letters by a pattern", "$split(data.text, /x/)"],
	["$match of every letter", "$match(data.text, /x/)"],
	["an array that doubles", "($f := function($a) { $f($append($a, $a)) }; $f([1]))"],
	[
		"an array that doubles by partial application",
		"($f := function($a) { $f($append(?, $a)($a)) }; $f([1]))",
	],
	["an array of itself", "($f := function($a) { $f([$a, $a]) }; $f([1]))"],
	["a nesting that doubles, as text", `(${DOUBLED} $string($d30))`],
	["a nesting that doubles, joined to a text", `(${DOUBLED} "" & $d30)`],
	[
		"a nesting that doubles, compared",
		`(${DOUBLED} $e := [[$d30]]; $e = [[$d30], 1] or [[$d30]] = [[$d29]])`,
	],
	["a nesting that doubles, as a condition", `(${DOUBLED} $d30 ? 1 : 2)`],
	["a nesting that doubles, in a predicate", `(${DOUBLED} data[$d30])`],
	["a nesting that doubles, looked through", `(${DOUBLED} $d30.**)`],
	["a nesting that doubles, by a wildcard", `(${DOUBLED} {"a": $d30}.*)`],
	["a nesting that doubles, by name", `(${DOUBLED} $d30.a)`],
	["a nesting that doubles, $distinct", `(${DOUBLED} $distinct([[$d30], [$d30]]))`],
	["a nesting that doubles, $boolean", `(${DOUBLED} $boolean($d30))`],
	["a nesting that doubles, $keys", `(${DOUBLED} $keys($d30))`],
	["a nesting that doubles, changed", `(${DOUBLED} {"a": $d30} ~> |a|{}|)`],
	["$distinct of many", "[1..100].$distinct($$.data.list)"],
	["comparing large lists", "[1..1000].($$.data.list = $append($$.data.list, []))"],
	["ordering large lists", "[1..1000].($$.data.list^(name))"],
	["ordering by a function", "$sort(data.numbers, function($l, $r) { $l > $r })"],
	["ordering tuples", "data.list#$i^(name).$i"],
	["$sort of large lists", "[1..1000].$sort($$.data.numbers)"],
	["$spread of large lists", "[1..1000].$spread($$.data.list)"],
	["$merge of large lists", "[1..1000].$merge($$.data.list)"],
	["$reverse of large lists", "[1..1000].$reverse($$.data.numbers)"],
	["$shuffle of large lists", "[1..1000].$shuffle($$.data.numbers)"],
	["$zip of large lists", "[1..1000].$zip($$.data.numbers, $$.data.numbers)"],
	["$sum of large lists", "[1..10000].$sum($$.data.numbers)"],
	["$max of large lists", "[1..10000].$max($$.data.numbers)"],
	["$lookup in large lists", "[1..10000].$lookup($$.data.list, 'no')"],
	["$keys of large lists", "[1..10000].$keys($$.data.list)"],
	["$map of a function that costs little", "[1..1000].$map($$.data.numbers, $boolean)"],
	["$map of a function on long texts", "($l := [1..50].$$.data.text; [1..50].$map($l, $length))"],
	["searching large lists", "[1..60000].('x' in $$.data.numbers)"],
	["a large list as a predicate", "data.list[$$.data.numbers]"],
	["a large list as a condition", "[1..60000].($$.data.numbers and true)"],
	["a name in a large list that is the context", `[[data.numbers]].(${"b;".repeat(1_500)}1)`],
	["grouping under one name", 'data.numbers{"all": $}'],
	["grouping tuples under one name", 'data.list@$l.id{"all": $l}'],
	["descendants of descendants", "**.**.**"],
	["all members of all members", "data.**.*.**"],
	["a large array, item by item", `($x := data.numbers; [1..100].([$x${",1".repeat(1_500)}]))`],
	["a transform of everything", "[1..1000].($$ ~> |data|{}|)"],
	["a transform that makes a ring", "$string(data ~> |$|{'self': $}|)"],
	["an update of many members for many matches", "($u := $merge(data.list.{name: id}); data ~> |list|$u|)"],
	["comparing long texts", "[1..60000].($$.data.text & 'a' < $$.data.text & 'b')"],
	["searching long texts", "[1..60000].$contains($$.data.text, 'y')"],
	[
		"searching a long text for a long one",
		"[1..1000].$contains($$.data.text, $substring($$.data.text, 1) & 'y')",
	],
	["$uppercase of long texts", "[1..1000].$uppercase($$.data.text)"],
	["$length of long texts", "[1..1000].$length($$.data.text)"],
	["$base64encode again and again", "($f := function($s) { $f($base64encode($s)) }; $f('x'))"],
	["$encodeUrl again and again", "($f := function($s) { $f($encodeUrlComponent('%' & $s)) }; $f('%'))"],
	[
		"pretty text of a deep value",
		"($f := function($x, $n) { $n = 0 ? $x : $f([[$x]], $n - 1) }; $string([1..5000].($f($, 100)), true))",
	],
	["a regular expression in a loop", "[1..100000].$contains($$.data.a, /(a+)+$/)"],
	["a regular expression that looks ahead for each match", "$match(data.text, /x*y|x/)"],
	["a regular expression of many parts", "$contains(data.text & 'y', /(?:x?){300}x{300}z|y/)"],
	["partial application in a loop", "[1..100000].($pad(?, 2)('a'))"],
	["blocks in blocks, in a loop", `[1..100000].${"(".repeat(300)}1${")".repeat(300)}`],
];

const refused: [what: string, source: string, position: number | null][] = [
	["$eval", "1 + $eval('1')", 4],
	["$eval as a value", "$map(data.s, $eval)", 13],
	["look-ahead", "$contains(type, /a(?=b)/)", 18],
	["negative look-ahead", "$contains(type, /a(?!b)/)", 18],
	["look-behind", "$contains(type, /(?<=b)a/)", 17],
	["a back-reference", "$contains(type, /(a)\\1/)", 20],
	["a back-reference by name", "$contains(type, /(?<x>a)\\k<x>/)", 24],
	["look-ahead in a lambda", "$map(s, function($v) { $replace($v, /(?=x)/, 'y') })", 37],
	["look-ahead in a predicate", "a[b[$contains(c, /(?=x)/)]]", 18],
	["look-ahead in a transform", "$ ~> |a|{'b': $match(c, /(?=x)/)}|", 25],
	["look-ahead in an order", "a^($contains(b, /(?=x)/))", 17],
	["look-ahead in a grouping", "a{$string($contains(b, /(?=x)/)): 1}", 24],
	["look-ahead in a default", "a ? b : $contains(c, /(?=x)/)", 22],
	["look-ahead in a chain", "a ~> $contains(/(?=x)/)", 16],
	["look-ahead that is only bound", "($r := /(?=x)/; 1)", 8],
	["a repeat without end", "$contains(type, /a{1001}/)", 18],
	["repeats of repeats", "$contains(type, /((a{100}){100}){100}/)", 26],
	["a long text repeated", `$contains(type, /(?:${"ab".repeat(500)}){900}/)`, 1_021],
	["a regular expression that ?? would lose", "/a/ ?? 1", 3],
	["levels of ??", `${"(".repeat(60)}a${" ?? 1)".repeat(60)}`, null],
	["levels of ?:", `${"[".repeat(60)}a${" ?: 1]".repeat(60)}`, null],
	["nesting without end", "[".repeat(1_000) + "]".repeat(1_000), null],
	["blocks without end", "(".repeat(2_000) + "1" + ")".repeat(2_000), null],
	["a signature that backtracks", `function($a)<${"a+".repeat(20)}b>{1}(${"a,".repeat(25)}a)`, null],
	["a signature of many options", `function($a)<${"s?".repeat(30)}b>{1}(${"a,".repeat(15)}a)`, null],
	["a signature that is a regular expression", "function($a)<(a](a*)*[b)>{1}(a)", null],
	["a variable that makes promises", "a@$then[0]", null],
];

const failures: [what: string, source: string][] = [
	["a picture with a width without end", "$fromMillis(0, '[Y,999999999]')"],
	["a picture with a width in hexadecimal", "$fromMillis(0, '[Y,*-0xffffff]')"],
	["a picture without end", "$formatInteger(1, $pad('0', 100000, '0'))"],
	["a picture for reading that backtracks", "$toMillis(data.digits & 'x', '[f][f][f][f][f][f][f][f][f][f]')"],
	["names for reading that backtrack", "$toMillis(data.a, '[MNn][FNn][MNn][FNn][MNn][FNn]1')"],
	["infinity as a picture's number", "$formatNumber(1/0, '0e0')"],
	["infinity in letters", "$formatInteger(1/0, 'a')"],
	["infinity in words", "$formatInteger(1/0, 'w')"],
	["Roman numerals without end", "$formatInteger(1000000000000, 'I')"],
	["a zero digit that is no digit", "$formatNumber(0, '#', {'zero-digit': '', 'decimal-separator': ''})"],
	["a grouping separator that is nothing", "$formatNumber(1, '#', {'grouping-separator': ''})"],
	["a range beyond 2^53 that never ends", "[9007199254740992..9007199254740994]"],
	["a promise that nobody keeps", "{'then': /a/}"],
	["a promise that nobody keeps, by a name that is made", "{'th' & 'en': /a/}"],
	["a promise that nobody keeps, as a function", "(function($f) { {'then': $f} })(function($a, $b) { 1 })"],
	["a key that is a ring", "{ (data ~> |$|{'self': $}|): 1 }"],
	["a ring that is negated", "-(data ~> |$|{'self': $}|)"],
	["a result that is a ring", "data ~> |$|{'self': $}|"],
	["a result that doubles", `(${DOUBLED} $d30)`],
	["a result that is too large", "[1..3].$$.data.text"],
	[
		"a result that nests too deep",
		"($f := function($x, $n) { $n = 0 ? $x : $f({'x': $x}, $n - 1) }; $f(1, 1500))",
	],
	["a result that is a function", "function($x) { $x }"],
	["a result that holds a function", "{'a': [$uppercase]}"],
	["a result that holds a regular expression", "$append(/a/, 1)"],
	["a number that is none", "{'a': 0/0}"],
	["a number without end", "{'a': 1/0}"],
	["a function that the event brings, in part", "($f := data.forged(?); $f(1))"],
	["a function that the event brings", "data.forged(1)"],
	["a function that the event brings, as a value", "$lookup(data, 'forged')"],
	["a function that the event brings, as an argument", "$map([1, 2], data.forged)"],
	["a function that the event brings, in a chain", "1 ~> data.forged"],
	["a function with another body", "($f := function($x) { 1 }; $ ~> |$f|{'body': data.forged.body}|; $f(1))"],
	[
		"a function without its mark",
		"($f := function($x) { 1 }; $ ~> |$f|{}, '_jsonata_lambda'|; $f.environment)",
	],
	["a built-in function that is another", "$ ~> |[$count, $sum]|{'implementation': 1}|"],
	["the insides of a function", "$spread($sum).implementation"],
	["the constructor of a text", "data.a.constructor"],
	["the prototype of an object", "data.__proto__"],
	["a type of another", "data.a + 1"],
	["nothing", "data.nothing"],
	["an error with a long message", "$error(data.text)"],
];

/** What it took, and what came of it as a transform. */
async function run(source: string) {
	const made = makeProgram(source);
	if (!made.ok) throw new Error(`does not compile: ${made.message}`);
	const meter = new Meter();
	const evaluation = await made.program.evaluate(input, meter);
	return { evaluation, work: meter.spent };
}

async function expectBystander(): Promise<void> {
	expect(await evaluateToJson('{"n": $count(data.list), "e": data.empty}', input)).toEqual({
		ok: true,
		json: '{"n":20000,"e":[]}',
	});
	expect(input.data.empty).toEqual([]);
	expect(Object.keys(input.data)).not.toContain("self");
}

describe("an overrun ends as an error value within the budget", () => {
	test.each(overruns)("%s", async (_what, source) => {
		const { evaluation, work } = await run(source);
		expect(evaluation).toEqual({ ok: false, message: expect.stringMatching(/./), overrun: true });
		expect(work).toBeLessThanOrEqual(MAX_WORK);
		await expectBystander();
	});
});

describe("refused when it is compiled, with its place", () => {
	test.each(refused)("%s", async (_what, source, position) => {
		const compiled = compileExpression(source);
		expect(compiled).toMatchObject({ ok: false, message: expect.stringMatching(/./) });
		if (position !== null) expect(compiled).toHaveProperty("position", position);
		expect(await evaluateToJson(source, input)).toMatchObject({ ok: false, overrun: true });
		await expectBystander();
	});
});

describe("an ordinary failure, of which the next event may know nothing", () => {
	test.each(failures)("%s", async (_what, source) => {
		const evaluation = await evaluateToJson(source, input);
		expect(evaluation).toEqual({ ok: false, message: expect.stringMatching(/./), overrun: false });
		expect(evaluation.ok || evaluation.message.length).toBeLessThanOrEqual(300);
		await expectBystander();
	});
});

describe("work that is large and honest is done", () => {
	test.each([
		["a regular expression over a long text", "$contains(data.text, /(x+)+y/)", "false"],
		["one that matches far down", "$match($substring(data.text, 0, 100000) & 'y', /y/).index", "100000"],
		["a list of thousands, changed", "$count(data.list[id < 10000].{'a': id, 'b': name})", "10000"],
		["a list of thousands, in order", "data.list^(>id)[0].id", "19999"],
		["a list of thousands, by name", "$count($keys(data.list[id < 3000]{name: id}))", "3000"],
		["a text of thousands", "$length($join(data.list.name, ','))", "128889"],
		["an array of a thousand items", `$count([${"1,".repeat(999)}1])`, "1000"],
		["the whole event", "$count($keys($))", "2"],
	])("%s", async (_what, source, json) => {
		expect(await evaluateToJson(source, input)).toEqual({ ok: true, json });
	});
});

test("work that runs in parallel with a failed evaluation stops with it", async () => {
	const made = makeProgram("[$error('no'), $sum([1..90000].($ * 2))]");
	if (!made.ok) throw new Error(made.message);
	const meter = new Meter();
	expect(await made.program.evaluate({}, meter)).toMatchObject({ ok: false, overrun: false });
	const { spent } = meter;
	await new Promise((resolve) => setTimeout(resolve, 50));
	expect(meter.spent).toBe(spent);
});
