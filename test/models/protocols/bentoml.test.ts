import { describe, expect, test } from "vitest";
import captures from "../captures/bentoml.json";
import { bodyFor, find, inputOf, json, outputText, readCapture, request, urlFor } from "../captures.ts";

const NAME = "bentoml";

test("the whole request, as BentoML was sent it", () => {
	const { method, path, body } = captures["read"].request;
	expect(request(NAME, inputOf(json(body)), { model: "read" })).toEqual({
		method,
		url: `https://models.example.com${path}`,
		headers: { "content-type": "application/json" },
		body,
	});
});

test.each([
	["https://a.example/", "read", true, "https://a.example/read"],
	["https://a.example/read?x=1", null, false, "https://a.example/read?x=1"],
	["https://a.example/read", "other", false, "https://a.example/read"],
])("the URL %s with %j", (url, model, needs, made) => {
	expect(find(NAME).needsModel(url)).toBe(needs);
	expect(urlFor(NAME, url, model)).toBe(made);
});

test("the input goes as it is, byte for byte, and bytes with their type", () => {
	expect(bodyFor(NAME, '{"id": 9007199254740993, "b": 1.50}')).toBe('{"id": 9007199254740993, "b": 1.50}');
	expect(request(NAME, inputOf({ kind: "text", text: "hi" }))).toMatchObject({ body: '"hi"' });
	expect(request(NAME, inputOf(null))).toMatchObject({ body: "{}" });
	const image = inputOf({ kind: "binary", base64: "iVBORw==" });
	image.event.attributes.datacontenttype = "image/png";
	expect(request(NAME, image)).toMatchObject({
		headers: { "content-type": "image/png" },
		body: Buffer.from("iVBORw==", "base64"),
	});
	expect(request(NAME, { ...image, transformed: "[1]" })).toMatchObject({ body: "[1]" });
});

describe("a response", () => {
	test.each([
		["read", "ee4f8b732e7223cc"],
		["embed", "a22d8937b1f6da4d"],
		["stream", "ca342eaa3fac800f"],
		["read-req-id", "6dda92896b9bceaf"],
	] as const)("%s is its body, with the server's id", (name, requestId) => {
		const said = readCapture(NAME, captures, name);
		expect(said).toMatchObject({ class: null, error: null, requestId });
		expect(outputText(said)).toBe(captures[name].response.body);
	});
});

test.each([
	["read-bad", "no such page", "18fdc51f918549a2"],
	["read-busy", expect.stringContaining("unexpected error"), "c2679998bfc6f274"],
	["read-fail", expect.stringContaining("unexpected error"), "d8066bfb7986d070"],
	["read-missing", "1 validation error for Input (text: Field required)", "5f10bd97fe8c7be9"],
	["read-wrong-type", expect.stringContaining("text: Input should be a valid string"), "8357c7c424f032eb"],
	["bad-json", expect.stringContaining("Invalid JSON"), "b1d4bd5035cc40aa"],
	["request-timeout", "Not able to process the request in 20 seconds", null],
	["saturated-4", "Too many requests", null],
	["unknown-route", "Not Found", null],
] as const)("a refusal, %s, is left to the table", (name, error, requestId) => {
	expect(readCapture(NAME, captures, name)).toMatchObject({ class: null, output: null, error, requestId });
});
