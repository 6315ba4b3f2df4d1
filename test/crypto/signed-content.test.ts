import { describe, expect, test } from "vitest";
import { headersOf, parseSignedContent, signedContent } from "../../src/crypto/signed-content.ts";

test.each([
	["{body}", [{ place: "body" }]],
	["v0:{timestamp}:{body}", [{ text: "v0:" }, { place: "timestamp" }, { text: ":" }, { place: "body" }]],
	["{method}{url}{form}", [{ place: "method" }, { place: "url" }, { place: "form" }]],
	["{header:X-Id}.{body}", [{ header: "x-id" }, { text: "." }, { place: "body" }]],
	["", []],
])("%j is read", (template, parts) => {
	expect(parseSignedContent(template)).toEqual({ ok: true, parts });
});

test.each([
	["an unknown place", "{body}{path}", "{path} is unknown"],
	["another case", "{Body}", "{Body} is unknown"],
	["nothing in braces", "{}", "{} is unknown"],
	["no name of a header", "{header:}", "{header:} is unknown"],
	["a bad name of a header", "{header:a b}", "{header:a b} is unknown"],
	["an open brace", "{body", "(at character 1)"],
	["a closing brace", "body}", "(at character 5)"],
	["braces in braces", "{{body}}", "(at character 1)"],
	["too long", "x".repeat(513), "at most 512"],
])("refused: %s", (_what, template, message) => {
	expect(parseSignedContent(template)).toEqual({ ok: false, message: expect.stringContaining(message) });
	expect(() => signedContent(template)).toThrow();
});

describe("the headers of a template", () => {
	test("in lower case", () => {
		expect(headersOf(signedContent("{header:A}{body}{header:b-C}"))).toEqual(["a", "b-c"]);
	});
});
