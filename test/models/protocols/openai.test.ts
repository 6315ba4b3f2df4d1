import { describe, expect, test } from "vitest";
import { joinChunks } from "../../../src/models/responses/chat-stream.ts";
import litserve from "../captures/litserve.json";
import captures from "../captures/openai.json";
import { bodyFor, find, inputOf, json, outputText, read, readCapture, request, urlFor } from "../captures.ts";

const CHAT = "openai-chat";
const EMBEDDINGS = "openai-embeddings";

function chat(messages: unknown[], more: object = {}): string {
	return JSON.stringify({ ...more, messages, model: "m", stream: false });
}

const user = (content: string) => ({ role: "user", content });

describe("a chat request", () => {
	test("is what the server was sent, and never streamed", () => {
		const sent = captures["chat"].request;
		const made = request(CHAT, inputOf(json('"hello"')), { model: "lit" });
		expect(made).toMatchObject({
			method: sent.method,
			url: `https://models.example.com${sent.path}`,
			headers: { "content-type": "application/json" },
		});
		const body: unknown = JSON.parse("misfit" in made ? "" : String(made.body));
		expect(body).toEqual({ ...(JSON.parse(sent.body) as object), stream: false });
	});

	test.each([
		['"hello"', chat([user("hello")])],
		['{"title":"a","id":9007199254740993}', chat([user('{"title":"a","id":9007199254740993}')])],
		["[1,2]", chat([user("[1,2]")])],
		["7", chat([user("7")])],
		[
			'[{"role":"system","content":"s"},{"role":"user","content":"u"}]',
			chat([{ role: "system", content: "s" }, user("u")]),
		],
		['{"role":"user","content":"u"}', chat([user("u")])],
		['{"messages":[{"role":"user","content":"u"}],"max_tokens":5}', chat([user("u")], { max_tokens: 5 })],
		// A list of which JSONata made its item is one again.
		['{"messages":{"role":"user","content":"u"}}', chat([user("u")])],
		// The endpoint says which model is paid for, not the publisher; and nothing is streamed.
		[
			'{"model":"dear","messages":[{"role":"user","content":"u"}],"stream":true,"stream_options":{"include_usage":true}}',
			'{"model":"m","stream":false,"messages":[{"role":"user","content":"u"}]}',
		],
		["null", "misfit: there is no data to send"],
	])("from %s", (text, body) => {
		expect(bodyFor(CHAT, text)).toBe(body);
	});

	test("from a text", () => {
		const made = request(CHAT, inputOf({ kind: "text", text: "héllo" }));
		expect(made).toMatchObject({ body: chat([user("héllo")]) });
	});
});

describe("an embeddings request", () => {
	test.each([
		['"a cat"', '{"input":["a cat"],"model":"m"}'],
		['["a cat","a dog"]', '{"input":["a cat","a dog"],"model":"m"}'],
		["[1,2,3]", '{"input":[[1,2,3]],"model":"m"}'],
		["[[1,2],[3]]", '{"input":[[1,2],[3]],"model":"m"}'],
		['{"title":"a"}', '{"input":["{\\"title\\":\\"a\\"}"],"model":"m"}'],
		['{"input":"a","dimensions":2}', '{"input":["a"],"dimensions":2,"model":"m"}'],
		['{"input":["a"],"model":"dear"}', '{"input":["a"],"model":"m"}'],
		["null", "misfit: there is no data to send"],
	])("from %s", (text, body) => {
		expect(bodyFor(EMBEDDINGS, text)).toBe(body);
	});
});

describe("the URL", () => {
	test.each([
		[CHAT, "https://api.openai.com", "https://api.openai.com/v1/chat/completions"],
		[CHAT, "https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"],
		[CHAT, "https://a.example/v1beta/openai", "https://a.example/v1beta/openai/chat/completions"],
		[
			CHAT,
			"https://a.example/chat/completions?api-version=1",
			"https://a.example/chat/completions?api-version=1",
		],
		[EMBEDDINGS, "https://a.example?k=1", "https://a.example/v1/embeddings?k=1"],
		[EMBEDDINGS, "https://a.example/v1/embeddings", "https://a.example/v1/embeddings"],
	])("%s at %s: %s", (name, url, made) => {
		expect(urlFor(name, url, "m")).toBe(made);
	});

	test("of a whole call may leave the model out, as Azure has it in the path", () => {
		const url = "https://a.example/openai/deployments/d/chat/completions";
		expect([find(CHAT).needsModel(url), find(CHAT).needsModel("https://a.example/v1")]).toEqual([
			false,
			true,
		]);
		expect(bodyFor(CHAT, '"a"', { url, model: null })).toBe(
			'{"messages":[{"role":"user","content":"a"}],"stream":false}',
		);
	});
});

describe("a response", () => {
	test.each([
		[
			CHAT,
			"chat",
			{
				modelVersion: "lit",
				requestId: "chatcmpl-8f32b2",
				usage: { inputTokens: 0, outputTokens: 0, seconds: null },
			},
		],
		[CHAT, "chat-unknown-model", { modelVersion: "nope", requestId: "chatcmpl-f37c70" }],
		[
			EMBEDDINGS,
			"emb-base64",
			{
				modelVersion: "minilm",
				requestId: null,
				usage: { inputTokens: 7, outputTokens: null, seconds: null },
			},
		],
	] as const)("of %s, %s, is its document", (protocol, name, facts) => {
		const said = readCapture(protocol, captures, name);
		expect(said).toMatchObject({ class: null, error: null, ...facts });
		expect(outputText(said)).toBe(captures[name].response.body);
	});

	test("has the id of the server's log where there is one", () => {
		const headers = { "x-request-id": "req_1" };
		expect(read(CHAT, { status: 200, headers, body: { id: "chatcmpl-1" } }).requestId).toBe("req_1");
	});

	test.each([
		[{ error: { message: "no room", code: 429 } }, "busy"],
		[{ error: { message: "broke", code: 502 } }, "error"],
		[{ error: { message: "pay", code: "insufficient_quota" } }, "quota"],
	])("with a status of 200 that is an error is one: %j", (body, meaning) => {
		expect(read(CHAT, { status: 200, body })).toMatchObject({
			class: meaning,
			output: null,
			error: body.error.message,
		});
	});
});

const chunk = (delta: object, finish: string | null = null, index = 0) =>
	JSON.stringify({
		id: "c",
		object: "chat.completion.chunk",
		choices: [{ index, delta, finish_reason: finish }],
	});

const call = (part: object) => ({ tool_calls: [{ index: 0, ...part }] });

describe("a stream", () => {
	test.each(["chat-stream", "chat-usage-stream"] as const)(
		"%s is joined into what it would have been",
		(name) => {
			const said = readCapture(CHAT, captures, name);
			expect(said).toMatchObject({
				class: null,
				modelVersion: "lit",
				usage: { inputTokens: 0, outputTokens: 0 },
			});
			expect(JSON.parse(outputText(said) ?? "")).toMatchObject({
				object: "chat.completion",
				model: "lit",
				choices: [
					{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "You said: hello" } },
				],
				usage: { prompt_tokens: 0, completion_tokens: 0 },
			});
		},
	);

	test("that was cut off is an error, because a partial output does not count", () => {
		const { headers, body } = captures["chat-stream"].response;
		const cut = body.slice(0, body.indexOf('"finish_reason":"stop"'));
		const whole = cut.slice(0, cut.lastIndexOf("\n\n"));
		for (const begun of [cut, whole, ""]) {
			expect(read(CHAT, { status: 200, headers, body: begun })).toMatchObject({
				class: "error",
				output: null,
			});
		}
		expect(read(CHAT, { status: 200, headers, body: whole }).error).toContain("ended before");
	});

	test("that ends in an error is what the error says", () => {
		const headers = { "content-type": "text/event-stream" };
		const body = `data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"error":{"code":429,"message":"no room"}}\n\n`;
		expect(read(CHAT, { status: 200, headers, body })).toMatchObject({
			class: "busy",
			error: "no room",
			output: null,
		});
	});

	const BEGUN = 'data: {"choices":[{"delta":{"content":"a"}}]}';
	test.each([
		["a text", `${BEGUN}\n\ndata: {"error":"no memory"}\n\n`],
		["an event of that name", `${BEGUN}\n\nevent: error\ndata: {"message":"no memory"}\n\n`],
		["an event with a plain text", `${BEGUN}\n\nevent: error\ndata: no memory\n\n`],
		[
			"vLLM's own form",
			`${BEGUN}\n\ndata: {"object":"error","message":"no memory","code":500}\n\ndata: [DONE]\n\n`,
		],
		["an error alone", 'data: {"error":{"message":"no memory"}}\n\n'],
	])("whose error is %s says it", (_what, body) => {
		const headers = { "content-type": "text/event-stream" };
		expect(read(CHAT, { status: 200, headers, body })).toMatchObject({
			class: "error",
			error: "no memory",
			output: null,
		});
	});

	test.each([
		["has another label", { "content-type": "application/json" }],
		["has no label", {}],
	])("that %s is joined all the same", (_what, headers) => {
		const { body } = captures["chat-stream"].response;
		const said = read(CHAT, { status: 200, headers, body: `: ping\n\n${body}` });
		expect(JSON.parse(outputText(said) ?? "")).toMatchObject({
			choices: [{ message: { content: "You said: hello" } }],
		});
	});

	test("may spread an event over lines, and leave out the lines between events; digits stay", () => {
		const spread = `data: {"seed":9007199254740993,"choices":[{"index":0,\r\ndata: "delta":{"content":"a"},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]`;
		const joined = joinChunks(spread);
		expect(JSON.stringify(joined)).toContain('"seed":9007199254740993');
		expect(joined).toMatchObject({ ok: true, document: { choices: [{ message: { content: "a" } }] } });
		const tight = `data: ${chunk({ content: "a" })}\ndata: ${chunk({ content: "b" }, "stop")}\ndata: [DONE]\n`;
		expect(joinChunks(tight)).toMatchObject({
			ok: true,
			document: { choices: [{ message: { content: "ab" } }] },
		});
	});

	test("may be lines of JSON, with calls of tools in parts and several choices", () => {
		const lines = [
			chunk({ role: "assistant", content: null }),
			chunk(call({ id: "call_1", type: "function", function: { name: "read", arguments: '{"p' } })),
			chunk({ content: "b" }, "stop", 1),
			chunk(call({ function: { arguments: 'age":1}' } })),
			chunk({}, "tool_calls"),
			JSON.stringify({ id: "c", choices: [], usage: { prompt_tokens: 3 } }),
		];
		expect(joinChunks(lines.join("\n"))).toEqual({
			ok: true,
			document: {
				id: "c",
				object: "chat.completion",
				choices: [
					{
						index: 0,
						finish_reason: "tool_calls",
						message: {
							role: "assistant",
							content: null,
							tool_calls: [
								{ id: "call_1", type: "function", function: { name: "read", arguments: '{"page":1}' } },
							],
						},
					},
					{ index: 1, finish_reason: "stop", message: { content: "b" } },
				],
				usage: { prompt_tokens: 3 },
			},
		});
	});

	test("changes nothing that objects inherit", () => {
		const bad =
			'{"choices":[{"index":0,"delta":{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1}}},"finish_reason":"stop"}]}';
		joinChunks(`${bad}\n${bad}`);
		expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
	});

	test("that nests without end is not an output", () => {
		const deep = `{"choices":[{"index":0,"delta":${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}]}`;
		const headers = { "content-type": "text/event-stream" };
		const body = `data: ${deep}\n\ndata: ${deep}\n\n`;
		expect(read(CHAT, { status: 200, headers, body })).toMatchObject({ class: "error", output: null });
	});

	test("passes over comments and the fields that mean nothing here", () => {
		const text = `: ping\r\nevent: message\r\nid: 1\r\ndata: ${chunk({ content: "a" }, "stop")}\r\n\r\ndata: [DONE]\r\n`;
		expect(joinChunks(text)).toMatchObject({
			ok: true,
			document: { choices: [{ message: { content: "a" } }] },
		});
		expect(joinChunks("data: nonsense\n")).toMatchObject({ ok: false });
	});
});

const OPEN = { class: null, scope: null };

test.each([CHAT, EMBEDDINGS])("bytes do not fit %s: a model would take the base64 for a text", (protocol) => {
	expect(request(protocol, inputOf({ kind: "binary", base64: "iVBORw==" }))).toEqual({
		misfit: "bytes do not fit; use a transform to make the input, for example from data_base64",
	});
});

test("an error with status 200 may be only a text; beside an output it is none", () => {
	for (const protocol of [CHAT, EMBEDDINGS]) {
		expect(read(protocol, { status: 200, body: { error: "no such model" } })).toMatchObject({
			class: "error",
			error: "no such model",
			output: null,
		});
	}
	expect(read(CHAT, { status: 200, body: { choices: [], error: "x" } })).toMatchObject({
		...OPEN,
		error: null,
	});
});

describe("a refusal", () => {
	test.each([
		[CHAT, "chat-fail", "Internal Server Error"],
		[CHAT, "chat-missing-messages", "body.messages: Field required"],
		[EMBEDDINGS, "emb-missing", "body.input: Field required"],
		[EMBEDDINGS, "emb-empty", "Internal Server Error"],
		[EMBEDDINGS, "emb-tokens", "Internal Server Error"],
	] as const)("of %s: %s is left to the table", (protocol, name, error) => {
		expect(readCapture(protocol, captures, name)).toMatchObject({ ...OPEN, error, output: null });
	});

	test.each([CHAT, EMBEDDINGS])(
		"of %s for which LitServe had no room in time is busy, a gateway's is not",
		(protocol) => {
			expect(readCapture(protocol, litserve, "saturated-6")).toMatchObject({
				class: "busy",
				error: "Request timed out",
			});
			expect(read(protocol, { status: 504, body: "upstream timed out" })).toMatchObject(OPEN);
			expect(readCapture(protocol, litserve, "batch-oom0")).toMatchObject(OPEN);
			expect(readCapture(protocol, litserve, "batch-bad0")).toMatchObject({
				...OPEN,
				error: "bad item in batch",
			});
		},
	);

	test.each([
		[
			429,
			{ error: { message: "You exceeded your current quota", code: "insufficient_quota" } },
			{},
			{ class: "quota" },
		],
		[429, { error: { message: "Rate limit reached", code: "rate_limit_exceeded" } }, {}, OPEN],
		[503, { error: { message: "Loading model", code: 503 } }, {}, { class: "busy", scope: "endpoint" }],
		[400, { error: { message: "try again" } }, { "x-should-retry": "true" }, { class: "error" }],
		[401, { error: { message: "no" } }, { "x-should-retry": "true" }, OPEN],
		[500, { error: { message: "no use" } }, { "x-should-retry": "false" }, { class: "bad_input" }],
		[503, { error: { message: "full" } }, { "x-should-retry": "false" }, OPEN],
		[429, { error: { message: "full" } }, { "x-should-retry": "false" }, OPEN],
	])("%s %j %j", (status, body, headers, meaning) => {
		expect(read(CHAT, { status, headers, body })).toMatchObject({ ...meaning, error: body.error.message });
	});
});
