/** There is no recording of Workers AI; inputs, outputs and errors are those of Cloudflare's documentation. */
import { describe, expect, test } from "vitest";
import { bodyFor, find, inputOf, json, outputText, read, request } from "../captures.ts";

const NAME = "workers-ai";
const LLAMA = "workers-ai:@cf/meta/llama-3.1-8b-instruct";

test("the whole request", () => {
	expect(request(NAME, inputOf(json('"Why is the sky blue?"')), { url: LLAMA, model: null })).toEqual({
		method: "POST",
		url: LLAMA,
		headers: { "content-type": "application/json" },
		body: '{"messages":[{"role":"user","content":"Why is the sky blue?"}]}',
	});
});

const SAID = '{"messages":[{"role":"user","content":"a"}]}';
const ALONE = (what: string) => `this model does not accept ${what} alone: use a transform to`;

describe("an input", () => {
	test.each([
		["meta/llama-3.1-8b-instruct", '"a"', SAID],
		["meta/llama-guard-3-8b", '"a"', SAID],
		["moonshotai/kimi-k2.5", '"a"', SAID],
		["some-lab/flux-of-words", '"a"', SAID],
		["aura-lab/llama-4", '"a"', SAID],
		["meta/llama-3.1-8b-instruct", "7", SAID.replace('"content":"a"', '"content":"7"')],
		[
			"meta/llama-3.1-8b-instruct",
			'[{"role":"user","content":"a"}]',
			'{"messages":[{"role":"user","content":"a"}]}',
		],
		[
			"meta/llama-3.1-8b-instruct",
			'{"role":"user","content":"a"}',
			'{"messages":[{"role":"user","content":"a"}]}',
		],
		[
			"meta/llama-3.1-8b-instruct",
			'{"prompt":"a","stream":true,"max_tokens":9}',
			'{"prompt":"a","stream":false,"max_tokens":9}',
		],
		["baai/bge-m3", '"a"', '{"text":"a"}'],
		["baai/bge-m3", '["a","b"]', '{"text":["a","b"]}'],
		["google/embeddinggemma-300m", '"a"', '{"text":"a"}'],
		["qwen/qwen3-embedding-0.6b", '"a"', '{"text":"a"}'],
		["huggingface/distilbert-sst-2-int8", '"a"', '{"text":"a"}'],
		["facebook/bart-large-cnn", '"a"', '{"input_text":"a"}'],
		["openai/gpt-oss-120b", '"a"', '{"input":"a"}'],
		["deepgram/aura-2-en", '"a"', '{"text":"a"}'],
		["moondream/moondream3.1-9B-A2B", '"a"', '{"question":"a"}'],
		["meta/m2m100-1.2b", '{"text":"a","target_lang":"de"}', '{"text":"a","target_lang":"de"}'],
		["meta/m2m100-1.2b", '"a"', `misfit: ${ALONE("a text")} make the object {text, target_lang}`],
		[
			"ai4bharat/indictrans2-en-indic-1B",
			'"a"',
			`misfit: ${ALONE("a text")} make the object {text, target_language}`,
		],
		[
			"ai4bharat/indictrans2-en-indic-1B",
			'["a"]',
			`misfit: ${ALONE("a list of texts")} make the object {text, target_language}`,
		],
		["llava-hf/llava-1.5-7b-hf", '"a"', `misfit: ${ALONE("a text")} make the input object`],
		["black-forest-labs/flux-1-schnell", '"a cat"', '{"prompt":"a cat"}'],
		["baai/bge-reranker-base", '{"query":"a","contexts":[]}', '{"query":"a","contexts":[]}'],
		["baai/bge-reranker-base", '"a"', `misfit: ${ALONE("a text")} make the object {query, contexts}`],
		[
			"meta/llama-3.1-8b-instruct",
			'["a"]',
			"misfit: this model does not accept a list of texts alone: use a transform to make the input object",
		],
		["meta/llama-3.1-8b-instruct", "[]", "misfit: a list must contain messages, or texts for embeddings"],
		["meta/llama-3.1-8b-instruct", "null", "misfit: there is no data to send"],
	])("of %s: %s", (model, text, body) => {
		expect(bodyFor(NAME, text, { url: `workers-ai:@cf/${model}` })).toBe(body);
	});

	test.each([
		["openai/whisper-large-v3-turbo", '{"audio":"AQID"}'],
		["openai/whisper", '{"audio":[1,2,3]}'],
		["nvidia/nemotron-speech-streaming-en-0.6b", '{"audio":"AQID"}'],
		["pipecat-ai/smart-turn-v2", '{"audio":"AQID"}'],
		["llava-hf/llava-1.5-7b-hf", '{"image":[1,2,3]}'],
		["microsoft/resnet-50", '{"image":[1,2,3]}'],
		["meta/llama-3.1-8b-instruct", undefined],
	])("of %s: bytes", (model, body) => {
		const made = request(NAME, inputOf({ kind: "binary", base64: "AQID" }), {
			url: `workers-ai:@cf/${model}`,
		});
		expect("misfit" in made ? undefined : made.body).toBe(body);
	});
});

describe("a number that the binding cannot carry", () => {
	test.each([
		['{"prompt":"a","id":9007199254740993}', "9007199254740993"],
		['{"messages":[{"role":"user","content":"a"}],"x":{"y":[1e400]}}', "1e400"],
	])("is refused: %s", (text, digits) => {
		expect(bodyFor(NAME, text, { url: LLAMA })).toMatch(
			new RegExp(`^misfit: a number .* make it a text: ${digits}$`),
		);
	});

	test("the shown body is the sent one, in JavaScript's spelling", () => {
		expect(bodyFor(NAME, '{"a":1.50,"b":0.12345678901234567890}', { url: LLAMA })).toBe(
			'{"a":1.5,"b":0.12345678901234568}',
		);
		expect(bodyFor(NAME, "9007199254740993", { url: LLAMA })).toBe(
			'{"messages":[{"role":"user","content":"9007199254740993"}]}',
		);
	});
});

test.each([
	["deepgram/flux", "accepts only WebSocket connections"],
	["deepgram/nova-3", "accepts audio only as a stream"],
	["black-forest-labs/flux-2-klein-4b", "accepts input only as a multipart form"],
])("%s cannot be called", (model, reason) => {
	const url = `workers-ai:@cf/${model}`;
	const message = `names a model that this protocol does not support: @cf/${model} ${reason}`;
	expect(find(NAME).refuse?.({ url, authType: "none" })).toEqual({ field: "url", message });
	expect(bodyFor(NAME, '{"text":"a"}', { url })).toBe(`misfit: ${message}`);
});

test("any other model can", () => {
	expect(find(NAME).refuse?.({ url: LLAMA, authType: "none" })).toBeNull();
});

test("the output is the document, with its usage", () => {
	const body = { response: "Because.", usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } };
	const said = read(NAME, { status: 200, body });
	expect(outputText(said)).toBe(JSON.stringify(body));
	expect(said.usage).toEqual({ inputTokens: 12, outputTokens: 3, seconds: null });
	expect(read(NAME, { status: 200, body: { response: "a" } }).usage).toBeNull();
});

test("a picture is its bytes", () => {
	const said = read(NAME, { status: 200, headers: { "content-type": "image/png" }, body: "\x89PNG" });
	expect(said.output).toMatchObject({ kind: "data", data: { kind: "binary" }, contentType: "image/png" });
});

test.each([
	[429, 3040, "3040: Capacity temporarily exceeded, please try again.", "busy"],
	[429, 3036, "3036: You have used up your daily free allocation of 10,000 neurons.", "quota"],
	[429, 4006, "4006: you have used up your daily free allocation", "quota"],
	[400, 5007, "5007: No such model @cf/a/b or task", null],
	[408, 3007, "3007: Request timeout", null],
	[413, 3006, "3006: Request is too large", null],
	[403, 5016, "5016: User has not agreed to the terms of the model", null],
	[500, null, "something else", null],
])("a refusal: %s, %s", (status, code, message, meaning) => {
	const body = { errors: [{ code, message }] };
	expect(read(NAME, { status, body })).toMatchObject({ class: meaning, error: message, output: null });
});
