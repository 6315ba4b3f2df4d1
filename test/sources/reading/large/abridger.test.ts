import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Abridger, type Wanted } from "../../../../src/sources/reading/large/abridger.ts";
import { chunked } from "./chunked.ts";

const EVERYTHING: Wanted = { keeps: () => true, enters: () => true, hashes: () => false };

function abridge(text: string, wanted: Partial<Wanted> = {}, cuts: readonly number[] = []) {
	const abridger = new Abridger({ ...EVERYTHING, ...wanted });
	for (const chunk of chunked(text, cuts)) abridger.write(chunk);
	return abridger.end();
}

/** What is left of a value: no lists, and of objects four levels. */
function expected(value: unknown, level = 0): unknown {
	if (typeof value !== "object" || value === null) return value;
	if (Array.isArray(value) || level === 4) return undefined;
	return Object.fromEntries(
		Object.entries(value)
			.map(([name, inner]): [string, unknown] => [name, expected(inner, level + 1)])
			.filter(([, inner]) => inner !== undefined),
	);
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }));

test("requested members keep their spelling, wherever the chunks end", () => {
	fc.assert(
		fc.property(fc.object({ maxDepth: 6, withNullPrototype: false }), cuts, (object, places) => {
			const text = JSON.stringify(object);
			const value = JSON.parse(text) as object;
			fc.pre(!Object.hasOwn(value, "__proto__"));
			expect(JSON.parse(abridge(text, {}, places).text)).toEqual(expected(value));
		}),
	);
	expect(abridge('{ "n" : 9007199254740993 , "s":"\\u00e9\\"" }').text).toBe(
		'{"n":9007199254740993,"s":"\\u00e9\\""}',
	);
});

test("only what is asked for", () => {
	const text = '{"a":{"id":1,"x":"y"},"b":{"id":2},"id":3,"c":[{"id":4}]}';
	const wanted = {
		keeps: (path: readonly string[]) => path.at(-1) === "id",
		enters: (path: readonly string[]) => path[0] === "a",
	};
	expect(abridge(text, wanted).text).toBe('{"a":{"id":1},"id":3}');
});

test.each([
	["long values", JSON.stringify({ a: "x".repeat(2_000), b: 1 }), '{"b":1}'],
	["long names", JSON.stringify({ ["x".repeat(2_000)]: { b: 1 }, c: 2 }), '{"":{"b":1},"c":2}'],
	["what is no object", '"text"', "{}"],
])("%s are left out", (_what, text, left) => {
	expect(abridge(text).text).toBe(left);
});

test("the kept text is bounded", () => {
	const scalars = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`m${index}`, index]));
	const objects = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`m${index}`, {}]));
	for (const value of [scalars, objects]) {
		const { text } = abridge(JSON.stringify(value));
		expect(text.length).toBeLessThan(70_000);
		expect(() => JSON.parse(text)).not.toThrow();
	}
});

const hashes = (path: readonly string[]) => path.join() === "a" || path.join() === "b";

const hashOf = (text: string, places: readonly number[] = []) => abridge(text, { hashes }, places).hash;

describe("the hash", () => {
	const text = '{"t":1,"a":{"x":[1,"]"]},"b":"é"}';

	test("is the same wherever the chunks end", () => {
		fc.assert(
			fc.property(cuts, (places) => {
				expect(hashOf(text, places)).toBe(hashOf(text));
			}),
		);
	});

	test("leaves out what is not selected", () => {
		expect(hashOf(text.replace('"t":1', '"t":2'))).toBe(hashOf(text));
	});

	test.each([
		["a value", "[1,", "[2,"],
		["a text", "é", "è"],
		["a name", '"b"', '"a"'],
	])("differs for %s", (_what, from, to) => {
		expect(hashOf(text.replace(from, to))).not.toBe(hashOf(text));
	});
});

test("nothing throws", () => {
	const garbage = fc.string({ unit: fc.constantFrom(...'[]{}",:\\ 1aé'.split("")) });
	fc.assert(fc.property(garbage, cuts, (body, places) => void abridge(body, { hashes: () => true }, places)));
});
