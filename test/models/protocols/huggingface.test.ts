/** There is no recording of a server; statuses and bodies are those of the services' documentation. */
import { describe, expect, test } from "vitest";
import { bodyFor, inputOf, json, outputText, read, request, urlFor } from "../captures.ts";

const NAME = "huggingface";

test("the whole request", () => {
	expect(request(NAME, inputOf(json('"I like you"')), { url: "https://a.example/", model: null })).toEqual({
		method: "POST",
		url: "https://a.example/",
		headers: { "content-type": "application/json" },
		body: '{"inputs":"I like you"}',
	});
});

test.each([
	[
		"https://router.huggingface.co/hf-inference",
		"openai/whisper",
		"https://router.huggingface.co/hf-inference/models/openai/whisper",
	],
	[
		"https://router.huggingface.co/hf-inference/models/a/b",
		"c",
		"https://router.huggingface.co/hf-inference/models/a/b",
	],
	["https://a.endpoints.huggingface.cloud", null, "https://a.endpoints.huggingface.cloud"],
])("the URL %s with %j", (url, model, made) => {
	expect(urlFor(NAME, url, model)).toBe(made);
});

test.each([
	['{"a":1}', '{"inputs":{"a":1}}'],
	['["a","b"]', '{"inputs":["a","b"]}'],
	['{"inputs":"a","parameters":{"top_k":1}}', '{"inputs":"a","parameters":{"top_k":1}}'],
	['{"inputs":"a","stream":true}', '{"inputs":"a","stream":false}'],
	["null", "misfit: there is no data to send"],
])("the input %s", (text, body) => {
	expect(bodyFor(NAME, text)).toBe(body);
});

test("an image goes as its bytes", () => {
	const image = inputOf({ kind: "binary", base64: "iVBORw==" });
	image.event.attributes.datacontenttype = "image/png";
	expect(request(NAME, image)).toMatchObject({ headers: { "content-type": "image/png" } });
});

test("the output is the body of the response, with the usage in its headers", () => {
	const headers = { "x-prompt-tokens": "3", "x-generated-tokens": "20", "x-request-id": "r" };
	const said = read(NAME, { status: 200, headers, body: [{ generated_text: "a" }] });
	expect(outputText(said)).toBe('[{"generated_text":"a"}]');
	expect(said).toMatchObject({ usage: { inputTokens: 3, outputTokens: 20 }, requestId: "r" });
	expect(read(NAME, { status: 200, body: [] }).usage).toBeNull();
});

test.each([
	[
		503,
		{ error: "Model a/b is currently loading", estimated_time: 20.5 },
		{ class: "busy", scope: "request", retryAfterMs: 20_500 },
	],
	[
		503,
		{ error: "Model a/b is currently loading" },
		{ class: "busy", scope: "endpoint", retryAfterMs: null },
	],
	[503, { error: "Service Unavailable" }, { class: null, retryAfterMs: null }],
	[429, { error: "Model is overloaded", error_type: "overloaded" }, { class: null }],
	[424, { error: "Request failed during generation", error_type: "generation" }, { class: "error" }],
	[422, { error: "Input validation error", error_type: "validation" }, { class: null }],
	[400, { error: ["Error in `inputs`: field required"] }, { class: null }],
])("a refusal: %s %j", (status, body, meaning) => {
	expect(read(NAME, { status, body })).toMatchObject({
		...meaning,
		error: [body.error].flat()[0],
		output: null,
	});
});

const token = (text: string) =>
	`data:{"index":1,"token":{"text":"${text}"},"generated_text":null,"details":null}\n\n`;

describe("a stream of TGI", () => {
	const headers = { "content-type": "text/event-stream" };
	const last = `data:{"index":2,"token":{"text":"b"},"generated_text":"ab","details":{"seed":9007199254740993}}\n\n`;

	test("is what a response without one would be", () => {
		const said = read(NAME, { status: 200, headers, body: `${token("a")}${last}` });
		expect(outputText(said)).toBe('{"generated_text":"ab","details":{"seed":9007199254740993}}');
		expect(said.class).toBeNull();
	});

	test.each([
		["is cut off", token("a"), "the stream ended before the output was complete"],
		[
			"ends in an error",
			`${token("a")}data:{"error":"Request failed during generation","error_type":"generation"}\n\n`,
			"Request failed during generation",
		],
	])("that %s is an error", (_what, body, error) => {
		expect(read(NAME, { status: 200, headers, body })).toMatchObject({ class: "error", error, output: null });
	});

	test("is told from another stream, which stays as it is", () => {
		const body = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
		const said = read(NAME, { status: 200, headers, body });
		expect(outputText(said)).toBe(body);
		expect(said.class).toBeNull();
	});
});
