/** What a dispatcher does with the protocols of models: which request leaves, and what follows from the response. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { findEndpoint } from "../../src/store/resources/endpoints.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { decodeMessage } from "../../src/events/queue/message.ts";
import type { DeliveryRecord } from "../../src/delivery/records.ts";
import type { ReadableEndpoint } from "../../src/store/records.ts";
import cog from "../models/captures/cog.json";
import kserve from "../models/captures/kserve.json";
import mlserver from "../models/captures/mlserver.json";
import type { Capture } from "../models/captures.ts";
import {
	createSetting,
	incoming,
	model,
	type Setting,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

function responseOf({ response }: Capture): Response {
	const { status, headers, body } = response;
	return new Response(body, { status, headers });
}

const ONE_ATTEMPT = {
	scheduleSeconds: [3600],
	busyMaxWaitSeconds: 3600,
	coldStartSeconds: 0,
	statuses: [],
	busyStatuses: [],
};

interface Delivered {
	setting: Setting;
	id: string;
	calls: ReturnType<typeof model>;
}

async function deliver(
	endpoint: Partial<ReadableEndpoint>,
	answer: () => Response,
	transform: string | null = '{"text": "hello"}',
): Promise<Delivered> {
	const setting = await createSetting({ endpoint, subscription: { transform } });
	const calls = model(answer);
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	return { setting, id: item.id, calls };
}

async function tried(delivered: Delivered): Promise<DeliveryRecord> {
	return whenTried(delivered.setting, delivered.id);
}

test("a prediction of Cog is put under the delivery's id, signed, with the endpoint's credentials, and its output kept", async () => {
	const auth = { type: "bearer", token: "a-token-of-its-own", scheme: "Key" } as const;
	const delivered = await deliver({ protocol: "cog", auth }, () => responseOf(cog["predict-put"]));
	const { setting, id, calls } = delivered;
	expect(await whenStatus(setting, id, "succeeded")).toMatchObject({
		result: { data: { kind: "json", text: '"HELLO"' }, contentType: "application/json" },
		attempts: [{ statusCode: 200, outcome: "done", error: null }],
	});
	expect(calls).toHaveLength(1);
	const [request] = calls;
	expect(request?.method).toBe("PUT");
	expect(request?.url).toBe(`https://model.example.com/predictions/${id}`);
	expect(request?.headers.get("authorization")).toBe("Key a-token-of-its-own");
	expect(request?.headers.get("x-request-id")).toBe(id);
	expect(request?.headers.get("webhook-signature")).toMatch(/^v1,/);
});

test("a prediction that failed is an attempt, and its error is recorded without credentials", async () => {
	const auth = { type: "bearer", token: "CUDA-out" } as const;
	const body = JSON.stringify({ status: "failed", error: "no CUDA-out of memory" });
	const answer = () => new Response(body, { headers: { "content-type": "application/json" } });
	const record = await tried(await deliver({ protocol: "cog", auth }, answer));
	expect(record).toMatchObject({
		status: "pending",
		result: null,
		attempts: [{ statusCode: 200, outcome: "error", error: "no *** of memory" }],
	});
});

describe("responses while a model is not loaded yet", () => {
	test.each<[string, Capture, Partial<ReadableEndpoint>]>([
		["MLServer, loading", mlserver["notready-POST-v2_models_late_infer"], { protocol: "open-inference" }],
		["KServe, loading", kserve["notready-POST-v1_models_iris_predict"], { protocol: "kserve-v1" }],
		["Cog, in setup", cog["predict-starting"], { protocol: "cog" }],
		["Cog, without a slot", cog["busy-put"], { protocol: "cog" }],
	])("%s: no attempt is spent, and the delivery continues", async (_what, capture, endpoint) => {
		let isReady = false;
		const done = endpoint.protocol === "cog" ? cog.predict : kserve["v1-predict"];
		const delivered = await deliver({ model: "iris", ...endpoint, retry: ONE_ATTEMPT }, () => {
			const answered = responseOf(isReady ? done : capture);
			isReady = true;
			return answered;
		});
		const { error } = JSON.parse(capture.response.body) as { error: string };
		expect(await whenStatus(delivered.setting, delivered.id, "succeeded")).toMatchObject({
			attempts: [{ outcome: "busy", statusCode: capture.response.status, error }, { outcome: "done" }],
		});
	});

	test("KServe, not registered: busy only within the endpoint's cold start", async () => {
		const capture = kserve["cold-v2-infer"];
		const endpoint = { protocol: "open-inference", model: "iris" };
		let isReady = false;
		const starting = { ...endpoint, retry: { ...ONE_ATTEMPT, coldStartSeconds: 600 } };
		const cold = await deliver(starting, () => {
			const answered = responseOf(isReady ? kserve["v2-infer"] : capture);
			isReady = true;
			return answered;
		});
		expect(await whenStatus(cold.setting, cold.id, "succeeded")).toMatchObject({
			attempts: [{ outcome: "busy", statusCode: 404 }, { outcome: "done" }],
		});
		const wrong = await deliver(endpoint, () => responseOf(capture));
		expect(await tried(wrong)).toMatchObject({ attempts: [{ outcome: "error", statusCode: 404 }] });
	});
});

test("a version that the server cannot have is rejected at once", async () => {
	const endpoint = { protocol: "open-inference", model: "iris/versions/3" };
	const { setting, id, calls } = await deliver(endpoint, () => responseOf(kserve["v2-infer-version"]));
	expect(await whenStatus(setting, id, "dead")).toMatchObject({
		reason: "rejected",
		attempts: [{ statusCode: 501, outcome: "bad_input", error: "Model versioning not supported yet." }],
	});
	expect(calls.map(({ url }) => url)).toEqual(["https://model.example.com/v2/models/iris/versions/3/infer"]);
});

describe("usage, model version and request id of a server", () => {
	const body = {
		id: "chatcmpl-1",
		model: "gpt-4o-mini-2024-07-18",
		choices: [],
		usage: { prompt_tokens: 12, completion_tokens: 3 },
	};
	const headers = { "content-type": "application/json", "x-request-id": "req_7" };

	test("is in the attempt and in the result event", async () => {
		const queued: SluiceEvent[] = [];
		const send = vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
			const decoded = decodeMessage(message);
			if (decoded.kind === "events") queued.push(...decoded.events);
			return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
		});
		const setting = await createSetting({
			endpoint: { protocol: "openai-chat", model: "m", version: "7" },
			subscription: {
				transform: '"hello"',
				result: { type: null, transform: null, maxHops: 8, allowCycles: false },
			},
		});
		model(() => new Response(JSON.stringify(body), { headers }));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const reported = {
			usage: { inputTokens: 12, outputTokens: 3, seconds: null },
			modelVersion: body.model,
			requestId: "req_7",
		};
		expect(await whenStatus(setting, item.id, "succeeded")).toMatchObject({
			attempts: [{ outcome: "done", ...reported }],
		});
		expect(send).toHaveBeenCalled();
		expect(queued.find(({ attributes }) => attributes.id === item.id)?.attributes).toMatchObject({
			sluicemodel: setting.endpoint.name,
			sluicemodelversion: body.model,
			sluicerequestid: "req_7",
			sluicetokensin: 12,
			sluicetokensout: 3,
		});
	});

	test("the request id is in a failed attempt too, whatever the protocol makes of the response", async () => {
		const failing = await deliver({ protocol: "cog" }, () => new Response("{}", { status: 500, headers }));
		expect(await tried(failing)).toMatchObject({ attempts: [{ outcome: "error", requestId: "req_7" }] });
		const plain = await deliver({}, () => new Response("no", { status: 422, headers }));
		expect(await whenStatus(plain.setting, plain.id, "dead")).toMatchObject({
			attempts: [{ outcome: "bad_input", requestId: "req_7" }],
		});
	});
});

test("a quota that is used up pauses the endpoint", async () => {
	const body = JSON.stringify({ error: { message: "pay", code: "insufficient_quota" } });
	const { setting } = await deliver(
		{ protocol: "openai-chat", model: "m" },
		() => new Response(body, { status: 429 }),
	);
	await vi.waitFor(async () => {
		expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ statusReason: "quota" });
	});
});

test("an input that does not fit the protocol is not sent, and the reason is given", async () => {
	const endpoint = { protocol: "open-inference", model: "iris" };
	const { setting, id, calls } = await deliver(endpoint, () => new Response("{}"), '{"a": [1, "b"]}');
	expect(await whenStatus(setting, id, "dead")).toMatchObject({
		reason: "transform_failed",
		detail: expect.stringMatching(/^The input does not fit protocol open-inference: "a" is not a tensor/),
		attempts: [],
	});
	expect(calls).toEqual([]);
});
