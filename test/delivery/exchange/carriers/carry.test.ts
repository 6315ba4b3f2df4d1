/** Exchanges with bindings: what they are called with, and what their ends become. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { carry } from "../../../../src/delivery/exchange/carriers/carry.ts";
import type { AttemptResult, OutgoingRequest } from "../../../../src/delivery/rules/attempt.ts";
import { classify } from "../../../../src/delivery/rules/classify.ts";
import type { Env } from "../../../../src/env.ts";
import { protocolOf } from "../../../../src/models/registry.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const LIMITS = { timeoutMs: 10_000, maxBodyBytes: 1_000 };
const MODEL = "workers-ai:@cf/meta/llama-3.1-8b-instruct";

function requestTo(url: string, body: string, more: Partial<OutgoingRequest> = {}): OutgoingRequest {
	const headers = { "content-type": "application/json", "webhook-id": "dlv_1" };
	return { url, method: "POST", headers, body: Buffer.from(body), ...more };
}

/** The router's own bindings, and others. */
function withBindings(bindings: object): Env {
	return { ...env, ...bindings };
}

function withQueue(send: (body: unknown, options: unknown) => Promise<unknown>): Env {
	return withBindings({ JOBS: { send, sendBatch: send } });
}

function textIn(result: AttemptResult): string {
	if (result.kind !== "response") throw new Error(result.message);
	return Buffer.from(result.body).toString();
}

/** What a dispatcher makes of it. */
function outcomeOf(result: AttemptResult, protocol: string): string {
	const said =
		result.kind === "response"
			? (protocolOf(protocol)?.read({ ...result, isStarting: false }, { url: "", completion: "sync" }) ??
				null)
			: null;
	const rules = {
		statuses: [],
		busyStatuses: [],
		coldStart: false,
		completesLater: false,
		isSilent: true,
		now: 0,
	};
	return classify(result, rules, said).outcome;
}

describe("Workers AI", () => {
	type Run = NonNullable<Env["AI"]>["run"];
	const run = (answer: Run, limits = LIMITS) =>
		carry(withBindings({ AI: { run: answer } }), requestTo(MODEL, '{"prompt":"a"}'), limits);

	test("a run gets the model and the input, does not wait for capacity, and its value is the response", async () => {
		const answer = vi.fn<Run>(async () => ({ response: "b", usage: { prompt_tokens: 1 } }));
		const result = await run(answer);
		expect(answer.mock.calls).toEqual([
			[
				"@cf/meta/llama-3.1-8b-instruct",
				{ prompt: "a" },
				{ rejectIfBusy: true, signal: expect.any(AbortSignal) },
			],
		]);
		expect(result).toMatchObject({
			kind: "response",
			status: 200,
			headers: { "content-type": "application/json" },
			failure: null,
		});
		expect(textIn(result)).toBe('{"response":"b","usage":{"prompt_tokens":1}}');
	});

	const PNG = Buffer.from("\x89PNG\r\n\x1a\nrest", "latin1");
	test.each<[string, () => unknown, string | undefined, string]>([
		["a stream of a picture", () => new Blob([PNG]).stream(), "image/png", PNG.toString()],
		["the bytes of a picture", () => Uint8Array.from(PNG), "image/png", PNG.toString()],
		["a buffer", () => Uint8Array.from(PNG).buffer, "image/png", PNG.toString()],
		["a stream of something", () => new Blob(["data: 1"]).stream(), undefined, "data: 1"],
		["a text", () => "hello", "text/plain; charset=utf-8", "hello"],
		["nothing", () => undefined, "application/json", "null"],
		[
			"a response",
			() => new Response("{}", { headers: { "content-type": "application/json" } }),
			"application/json",
			"{}",
		],
	])("%s", async (_what, output, type, text) => {
		const result = await run(async () => output());
		expect(result).toMatchObject({ status: 200, failure: null });
		expect(result.kind === "response" && result.headers["content-type"]).toBe(type);
		expect(textIn(result)).toBe(text);
	});

	test.each<[string, () => unknown]>([
		["a value", () => ({ image: "a".repeat(1_001) })],
		["bytes", () => new Uint8Array(1_001)],
		["a stream", () => new Blob(["a".repeat(100_000)]).stream()],
	])("%s is read up to the limit", async (_what, output) => {
		const result = await run(async () => output());
		expect(result).toMatchObject({ status: 200, failure: { error: "too_large" } });
	});

	test.each([
		["3040: Capacity temporarily exceeded, please try again.", 429, "busy"],
		["InferenceUpstreamError: 3040: No more data centers to forward the request to", 429, "busy"],
		["Capacity temporarily exceeded, please try again.", 429, "busy"],
		["3036: You have used up your daily free allocation of 10,000 neurons.", 429, "quota"],
		["3007: Request timeout", 408, "busy"],
		["3006: Request is too large", 413, "bad_input"],
		["AiError: 5006: Error: required properties at '/' are 'prompt'", 400, "bad_input"],
		["5007: No such model @cf/meta/llama or task", 400, "bad_input"],
		["3042: The model name is invalid", 404, "error"],
		["5016: User has not agreed to the terms of the model", 403, "unauthorized"],
		["9999: something new", 500, "error"],
		["Binding AI needs to be run remotely", 500, "error"],
	])("what it throws: %s", async (message, status, outcome) => {
		const result = await run(() => Promise.reject(new Error(message)));
		expect(result).toMatchObject({ kind: "response", status });
		expect(outcomeOf(result, "workers-ai")).toBe(outcome);
		const said =
			result.kind === "response"
				? protocolOf("workers-ai")?.read({ ...result, isStarting: false }, { url: "", completion: "sync" })
				: null;
		expect(said?.error).toBe(message);
	});

	test("a lost connection is not a response", async () => {
		const result = await run(() => Promise.reject(new Error("Network connection lost.")));
		expect(result).toMatchObject({ kind: "no_response", error: "connection_lost" });
	});

	test("a run that does not end is given up", async () => {
		const result = await run(() => new Promise(() => {}), { ...LIMITS, timeoutMs: 20 });
		expect(result).toMatchObject({
			kind: "no_response",
			error: "timeout",
			message: "No response within 0.02 s.",
		});
	});

	test("a stream that does not end is given up", async () => {
		const canceled = vi.fn();
		const endless = new ReadableStream({ pull: () => new Promise(() => {}), cancel: canceled });
		const result = await run(async () => endless, { ...LIMITS, timeoutMs: 20 });
		expect(result).toMatchObject({ kind: "no_response", error: "timeout" });
		await vi.waitFor(() => expect(canceled).toHaveBeenCalledTimes(1));
	});
});

describe("a queue of Cloudflare", () => {
	test.each([
		["application/json", '{"id":9007199254740993,"a":[1]}', "json", '{"id":9007199254740993,"a":[1]}'],
		["text/plain; charset=utf-8", "[1]", "text", '"[1]"'],
		["text/plain; charset=utf-8", "\ufeffa\ufeff", "text", JSON.stringify("\ufeffa\ufeff")],
	])("gets %s", async (type, text, contentType, stringified) => {
		const sent: unknown[] = [];
		const bound = withQueue(async (body, options) => sent.push(JSON.stringify(body), options));
		const headers = { "content-type": type };
		const result = await carry(bound, requestTo("queue:JOBS", text, { headers }), LIMITS);
		expect(result).toMatchObject({ kind: "response", status: 204, failure: null });
		expect(sent).toEqual([stringified, { contentType }]);
	});

	test.each([
		["Queue send failed: Too Many Requests", "busy"],
		["Queue is overloaded. Please back off.", "busy"],
		["Queue send failed: message length of 130000 bytes exceeds limit of 128000", "bad_input"],
		["Queue send failed: Internal Server Error", "error"],
	])("what it throws: %s", async (message, outcome) => {
		const bound = withQueue(() => Promise.reject(new Error(message)));
		const result = await carry(bound, requestTo("queue:JOBS", "1"), LIMITS);
		expect(outcomeOf(result, "queue")).toBe(outcome);
	});

	test("an object that does not respond is given up", async () => {
		const bound = withQueue(() => new Promise(() => {}));
		const result = await carry(bound, requestTo("queue:JOBS", "1"), { ...LIMITS, timeoutMs: 20 });
		expect(result).toMatchObject({ kind: "no_response", error: "timeout" });
	});
});

describe("a service of a VPC", () => {
	test("gets the request through its binding, with path, query, headers and bytes", async () => {
		const fetched: Request[] = [];
		const fetch = async (url: string, init: RequestInit) => {
			fetched.push(new Request(url, init));
			return new Response("ok", { status: 201 });
		};
		const outside = vi.spyOn(globalThis, "fetch");
		const bound = withBindings({ OCR_MODEL: { fetch } });
		const result = await carry(bound, requestTo("vpc:OCR_MODEL/v1/read?lang=de", "[1]"), LIMITS);
		expect(result).toMatchObject({ kind: "response", status: 201 });
		expect(textIn(result)).toBe("ok");
		const [request] = fetched;
		expect(request?.url).toBe("http://ocr-model/v1/read?lang=de");
		expect(request?.headers.get("webhook-id")).toBe("dlv_1");
		expect(await request?.text()).toBe("[1]");
		expect(outside).not.toHaveBeenCalled();
	});
});

test.each([
	[MODEL, {}, '[ai]\nbinding = "AI"'],
	["queue:NONE", {}, '[[queues.producers]]\nbinding = "NONE"'],
	["queue:JOBS", { JOBS: "a text" }, '[[queues.producers]]\nbinding = "JOBS"'],
	["vpc:OCR/", { OCR: { send() {} } }, '[[vpc_services]]\nbinding = "OCR"'],
])("%s without its binding is an attempt that says what is missing", async (url, bindings, lines) => {
	const result = await carry(withBindings(bindings), requestTo(url, "1"), LIMITS);
	expect(result).toMatchObject({ kind: "no_response", error: "no_binding" });
	expect(result.kind === "no_response" && result.message).toContain(lines);
});

test.each(["queue:EVENTS", "queue:EVENTS_DLQ", "vpc:ASSETS/"])("%s is the router's own", async (url) => {
	const used = vi.fn();
	const bound = withBindings({ EVENTS: { send: used, sendBatch: used }, ASSETS: { fetch: used } });
	expect(await carry(bound, requestTo(url, "1"), LIMITS)).toMatchObject({ error: "no_binding" });
	expect(used).not.toHaveBeenCalled();
});

test("a result names the credentials that were made for its request, whatever its outcome", async () => {
	const request = requestTo("queue:NONE", "1", { secrets: ["t0ken"] });
	expect(await carry(env, request, LIMITS)).toMatchObject({ kind: "no_response", secrets: ["t0ken"] });
	vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("ok"));
	const sent = await carry(env, { ...request, url: "https://a.example/" }, LIMITS);
	expect(sent).toMatchObject({ kind: "response", secrets: ["t0ken"] });
	expect(await carry(env, requestTo("https://a.example/", "1"), LIMITS)).not.toHaveProperty("secrets");
});
