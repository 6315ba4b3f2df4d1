import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formsOf, maskBytes, maskJson, maskText } from "../../../../src/delivery/exchange/masking/mask.ts";

const SECRET = 'sk/live+"a\\b=%41';
const forms = formsOf([SECRET], 8);

/** Every character as \uXXXX, which says the same. */
function escapeAll(text: string): string {
	return Array.from({ length: text.length }, (_, at) => {
		const code = text.charCodeAt(at).toString(16).padStart(4, "0");
		return `\\u${at % 2 === 0 ? code : code.toUpperCase()}`;
	}).join("");
}

function percentAll(text: string): string {
	return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

const inJson = JSON.stringify(SECRET).slice(1, -1);

describe("a secret in JSON", () => {
	test.each([
		["as it must be escaped", inJson],
		["with slashes escaped, as PHP does", inJson.replaceAll("/", "\\/")],
		["with every character escaped", escapeAll(SECRET)],
		["percent-encoded", encodeURIComponent(SECRET)],
		["percent-encoded in small letters", encodeURIComponent(SECRET).toLowerCase()],
		["percent-encoded to the last letter", percentAll(SECRET)],
		["in base64", Buffer.from(SECRET).toString("base64")],
	])("%s is hidden", (_, said) => {
		expect(maskJson(`{"h":"Bearer ${said}!","n":1}`, forms)).toBe('{"h":"Bearer ***!","n":1}');
		expect(maskJson(`["${said}","\\n${said}"]`, forms)).toBe('["***","\\n***"]');
		expect(maskJson(`{"${said}":null}`, forms)).toBe('{"***":null}');
	});

	test("is hidden within the base64 of something else, wherever it begins", () => {
		for (const before of ["", "a", "ab", "abc", "abcd"]) {
			for (const encoding of ["base64", "base64url"] as const) {
				const encoded = Buffer.from(`${before}${SECRET}, and more`).toString(encoding);
				const masked = maskJson(JSON.stringify({ encoded }), forms);
				expect(masked).toContain("***");
				expect(Buffer.from(JSON.parse(masked).encoded, "base64").toString("latin1")).not.toContain("live");
			}
		}
	});

	test("is masked if it is a separate number, but not inside others", () => {
		const digits = formsOf(["12345678"], 8);
		expect(maskJson('{"a":12345678,"b":[12345678],"c":"x12345678"}', digits)).toBe(
			'{"a":"***","b":["***"],"c":"x***"}',
		);
		expect(maskJson("12345678", digits)).toBe('"***"');
		for (const other of ["112345678", "123456789", "0.12345678", "12345678.5", "-12345678", "12345678e1"]) {
			expect(maskJson(`[${other}]`, digits)).toBe(`[${other}]`);
		}
	});

	test("that looks like the structure of a document takes none of it away", () => {
		const text = '{"a":"b","c":["d","e"],"f":[true,false]}';
		for (const secret of ['"a":"b","c"', 'a":"b","c', '["d","e"]', "true,false", ":[true,f", '":"b","c"']) {
			expect(maskJson(text, formsOf([secret], 8))).toBe(text);
		}
		expect(maskJson('{"a\\":\\"b\\",":1}', formsOf(['a":"b",'], 7))).toBe('{"***":1}');
	});

	test("ending in a backslash leaves the escape behind it whole", () => {
		expect(maskJson('["secret1\\\\\\"x","secret1\\"x"]', formsOf(["secret1\\"], 8))).toBe(
			'["***\\"x","secret1\\"x"]',
		);
	});

	test("stays valid JSON and loses every secret, whatever the document", () => {
		const ascii = fc.string({
			unit: fc.constantFrom(...Array.from('ab1/\\"%41+= ,:{}[]u0')),
			minLength: 8,
			maxLength: 12,
		});
		fc.assert(
			fc.property(ascii, fc.json({ stringUnit: "grapheme" }), fc.boolean(), (secret, json, pretty) => {
				const value = { echo: `x${secret}y`, [`k${secret}`]: JSON.parse(json) as unknown, again: [secret] };
				const text = JSON.stringify(value, null, pretty ? "\t" : undefined);
				const masked = JSON.parse(maskJson(text, formsOf([secret], 8))) as typeof value;
				expect(masked.echo).not.toContain(secret);
				expect(masked.again[0]).not.toContain(secret);
			}),
		);
	});
});

describe("text without a secret", () => {
	const numbers = '{"n":9007199254740993,"e":1e400,"s":"\\u00e9 \\/ %20 \\n","a":[1.0,-0]}';
	test("stays as it was spelled", () => {
		expect(maskJson(numbers, forms)).toBe(numbers);
		expect(maskText(numbers, forms)).toBe(numbers);
		const bytes = Buffer.from(numbers);
		expect(maskBytes(bytes, forms)).toBe(bytes);
	});

	test("stays when there are only secrets that are too short", () => {
		const short = formsOf(["s3cret7", ""], 8);
		expect(short).toEqual([]);
		expect(maskJson('{"a":"s3cret7"}', short)).toBe('{"a":"s3cret7"}');
	});
});

describe("a secret in text", () => {
	test.each([
		["as it is", SECRET],
		["as JSON within it has it", inJson],
		["with every character escaped", escapeAll(SECRET)],
		["percent-encoded", encodeURIComponent(SECRET)],
		["in base64", Buffer.from(SECRET).toString("base64")],
	])("%s is hidden", (_, said) => {
		expect(maskText(`key: ${said}; \\ 100% ${said}`, forms)).toBe("key: ***; \\ 100% ***");
	});

	test("is masked at every occurrence, and once where two overlap", () => {
		expect(maskText("abcabcabc", formsOf(["abc"], 3))).toBe("*********");
		expect(maskText("x-abcdef-x", formsOf(["abcd", "cdef"], 4))).toBe("x-***-x");
	});
});

/** Letters of two, three and four bytes, a space, and what JSON escapes. */
const WIDE = 'pässwört €😀 "1\\2/';
const wide = formsOf([WIDE], 8);

/** As Python and PHP write JSON: nothing but ASCII. */
function asciiJson(value: unknown): string {
	return JSON.stringify(value).replaceAll(
		/[\u0080-\uffff]/g,
		(unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
}

describe.each([
	["a secret of more than ASCII", WIDE, wide],
	["one of ASCII", SECRET, forms],
])("%s", (_, secret, all) => {
	test.each([
		["percent-encoded", encodeURIComponent(secret)],
		["percent-encoded in small letters", encodeURIComponent(secret).toLowerCase()],
		["percent-encoded to the last letter", percentAll(secret)],
		["percent-encoded twice", encodeURIComponent(encodeURIComponent(secret))],
		["as a form has it", new URLSearchParams([["", secret]]).toString().slice(1)],
		["in JSON within JSON", JSON.stringify(secret)],
		["in JSON within JSON within JSON", JSON.stringify(JSON.stringify([secret]))],
		["in JSON of ASCII within JSON", asciiJson(secret)],
		["in the base64 of JSON", Buffer.from(JSON.stringify({ secret })).toString("base64")],
	])("%s is hidden, and the JSON around it stays valid", (_, said) => {
		for (const masked of [maskJson(JSON.stringify({ said }), all), maskJson(asciiJson({ said }), all)]) {
			const found = (JSON.parse(masked) as { said: string }).said;
			expect(found).toContain("***");
			expect(Buffer.from(found, "base64").toString()).not.toContain("1\\");
			expect(found.length).toBeLessThan(secret.length + 12);
		}
		expect(maskText(`<${said}>`, all)).toContain("***");
	});
});

test("a megabyte of escapes is read within moments", () => {
	for (const unit of ["\\\\", "\\\\\\\\n", "%2525", "\\u005c", "%f0%9f%98%80"]) {
		const text = `"${unit.repeat(Math.floor(1_000_000 / unit.length))}"`;
		const before = performance.now();
		expect(maskJson(text, forms)).toBe(text);
		expect(performance.now() - before).toBeLessThan(10_000);
	}
});

test("bytes that are no text keep their number", () => {
	const bytes = Buffer.from([0xff, 0, ...Buffer.from(`k=${SECRET};`), 0x80]);
	const masked = maskBytes(bytes, forms);
	expect(masked).toEqual(Buffer.from([0xff, 0, ...Buffer.from(`k=${"*".repeat(SECRET.length)};`), 0x80]));
	expect(bytes.includes(SECRET)).toBe(true);
});
