import { eventId } from "../../../src/events/ids.ts";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newId } from "../../../src/events/ids.ts";
import { dispatcher } from "../../../src/objects/clients.ts";
import { findEndpoint } from "../../../src/store/resources/endpoints.ts";
import { createSetting, model } from "../../delivery/dispatcher.fixtures.ts";
import { ask, badPaths, must, ORIGIN, type Resource } from "../client.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const url = "https://models.example.com/predict";
const WHSEC = `whsec_${btoa("s".repeat(32))}`;
let count = 0;

async function create(fields: Record<string, unknown> = {}): Promise<string> {
	const name = `tried-${++count}`;
	await must("POST", "/v1/endpoints", { name, url, signing_secret: WHSEC, ...fields });
	return name;
}

interface Shown {
	request: { method: string; url: string; headers: Record<string, string>; body: string };
	response: { status_code: number; headers: Record<string, string>; body_excerpt: string };
}

async function tryIt(name: string, body?: unknown): Promise<Resource & Shown> {
	return must("POST", `/v1/endpoints/${name}@1/test`, body);
}

const HIDDEN_HEADERS = ["sluice-lineage", "webhook-signature"];

function pick(headers: Record<string, string>, names: readonly string[]): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));
}

describe("a test of an endpoint", () => {
	test("sends a sample, signed as a delivery is, and shows what came", async () => {
		const name = await create();
		const calls = model(() => Response.json({ label: "cat" }, { headers: { "x-request-id": "r-1" } }));
		const shown = await tryIt(name);
		expect(shown).toEqual({
			request: { method: "POST", url, headers: expect.anything(), body: calls[0]?.body, truncated: false },
			response: {
				status_code: 200,
				headers: { "content-type": "application/json", "x-request-id": "r-1" },
				body_excerpt: '{"label":"cat"}',
			},
			outcome: "done",
			scope: "request",
			error: null,
			retry_after_ms: null,
			usage: null,
			model_version: null,
			request_id: "r-1",
			duration_ms: expect.any(Number),
			output: {
				cloudevent: null,
				content_type: "application/json",
				truncated: false,
				data: { label: "cat" },
			},
		});
		expect(calls).toHaveLength(1);
		expect(calls[0]?.deliveryId).toMatch(/^dlv_test_/);
		expect(shown.request.headers["sluice-event-id"]).toMatch(/^evt_test_/);
		const sent = Object.fromEntries(calls[0]?.headers ?? []);
		expect(sent).toMatchObject({ ...shown.request.headers, ...pick(sent, HIDDEN_HEADERS) });
		// What is shown proves nothing to anybody; what was sent does.
		expect(pick(shown.request.headers, HIDDEN_HEADERS)).toEqual({
			"sluice-lineage": "***",
			"webhook-signature": "v1,***",
		});
		expect(new Webhook(WHSEC).verify(shown.request.body, sent)).toMatchObject({
			type: "test.sample",
			data: { text: "A sample from Sluice." },
		});
	});

	test("is not a delivery: its id names none", async () => {
		const name = await create();
		const calls = model(() => Response.json({}));
		await tryIt(name);
		expect((await ask("GET", `/v1/deliveries/${calls[0]?.deliveryId}`)).status).toBe(404);
	});

	test("a protocol gets a sample of its own", async () => {
		const name = await create({ protocol: "open-inference", model: "iris" });
		const calls = model(() => Response.json({ model_version: "v3", outputs: [] }));
		expect(await tryIt(name)).toMatchObject({ outcome: "done", model_version: "v3" });
		expect(calls[0]?.url).toBe("https://models.example.com/predict/v2/models/iris/infer");
		expect(JSON.parse(calls[0]?.body ?? "")).toMatchObject({ inputs: [{ data: [5.1, 3.5, 1.4, 0.2] }] });
	});

	test("an event of one's own keeps its spelling, and so does the output", async () => {
		const name = await create();
		const calls = model(() => new Response('{"n": 9007199254740993}', { headers: JSON_TYPE }));
		const body = '{"event": {"type": "a.b", "id": "7", "data": {"n": 9007199254740993, "m": 1.50}}}';
		const { text } = await ask("POST", `/v1/endpoints/${name}@1/test`, body);
		expect(calls[0]?.body).toContain('"data":{"n": 9007199254740993, "m": 1.50}');
		expect(text).toContain('"data":{"n": 9007199254740993}');
	});

	test("a transform makes the input", async () => {
		const name = await create();
		const calls = model(() => Response.json({}));
		await tryIt(name, { event: { type: "a", data: { x: 2 } }, transform: '{ "y": data.x * 2 }' });
		expect(calls[0]?.body).toBe('{"y":4}');
	});

	test("an event of before can be sent by its id", async () => {
		const name = await create();
		const calls = model(() => Response.json({}));
		const { id } = await must("POST", "/v1/events", { type: "tried.once", data: { n: 1 } });
		await vi.waitFor(async () => must("GET", `/v1/events/${id}`), { timeout: 20_000, interval: 50 });
		const { request } = await tryIt(name, { event_id: id, transform: "data" });
		expect(request.headers["sluice-event-id"]).toBe(id);
		expect(calls.at(-1)?.body).toBe('{"n":1}');
	});
});

const JSON_TYPE = { "content-type": "application/json" };

describe("a response is classified as for a delivery", () => {
	test.each([
		["http", 503, { "retry-after": "7" }, "busy", { outcome: "busy", retry_after_ms: 7000 }],
		["http", 401, {}, "no", { outcome: "unauthorized" }],
		["http", 410, {}, "gone", { outcome: "gone" }],
		["http", 302, { location: "https://elsewhere.example" }, "", { outcome: "error" }],
		[
			"kserve-v1",
			503,
			{},
			'{"error":"Model with name m is not ready."}',
			{ outcome: "busy", scope: "endpoint", error: "Model with name m is not ready." },
		],
		[
			"cog",
			200,
			{},
			'{"status":"failed","error":"out of memory"}',
			{ outcome: "error", error: "out of memory", output: null },
		],
		[
			"openai-chat",
			200,
			{},
			'{"id":"c1","model":"m-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}',
			{
				outcome: "done",
				usage: { input_tokens: 3, output_tokens: 4, seconds: null },
				model_version: "m-1",
				request_id: "c1",
			},
		],
	])("%s: %i", async (protocol, status, headers, body, expected) => {
		const name = await create({ protocol, ...(protocol !== "http" && { model: "m" }) });
		model(() => new Response(body, { status, headers: { ...JSON_TYPE, ...headers } }));
		const shown = await tryIt(name);
		expect(shown).toMatchObject({ ...expected, response: { status_code: status } });
		// Nothing follows from it.
		expect(await must("GET", `/v1/endpoints/${name}@1`)).toMatchObject({
			status: "active",
			blocked_by: null,
		});
	});

	test("no response is an error with its words", async () => {
		const name = await create();
		model(() => {
			throw new TypeError("Network connection lost.");
		});
		expect(await tryIt(name)).toMatchObject({
			response: null,
			outcome: "busy",
			scope: "endpoint",
			error: expect.stringContaining("connection_lost: "),
			output: null,
		});
	});

	test("an address that was closed since is refused in the words of a delivery, and nothing is sent", async () => {
		const { endpoint } = await createSetting({ endpoint: { url: `${ORIGIN}/v1/events` } });
		const calls = model(() => Response.json({}));
		expect(await must("POST", `/v1/endpoints/${endpoint.id}/test`)).toMatchObject({
			request: null,
			response: null,
			outcome: "error",
			error: "blocked_url: is the router itself, where only /in/{source} accepts events",
		});
		expect(calls).toEqual([]);
	});
});

test("credentials are shown nowhere, however they are sent", async () => {
	const secrets = ["bearer-token-1", "header-key-22", "query-secret-3"] as const;
	const [token, key, query] = secrets;
	const name = await create({
		url: `${url}?sig=${query}`,
		auth: { type: "header", name: "x-plain", value: token },
		headers: { "x-api-key": key, "x-team": "blue" },
	});
	model(({ headers, url: asked }) =>
		Response.json(
			{ token: headers.get("x-plain"), encoded: btoa(` ${key}`), asked, error: { message: `bad ${token}` } },
			{ status: 200, headers: { "x-echo": `${key} ${asked}`, "set-cookie": "session=s" } },
		),
	);
	const { text, body } = await ask("POST", `/v1/endpoints/${name}@1/test`);
	for (const secret of secrets) expect(text).not.toContain(secret);
	expect(text).not.toContain(btoa(` ${key}`).slice(2, 12));
	expect(body["request"]).toMatchObject({
		url: `${url}?sig=***`,
		headers: { "x-plain": "***", "x-api-key": "***", "x-team": "blue" },
	});
	expect(body["response"]).toMatchObject({ headers: { "set-cookie": "***" } });
});

test("a large body is shown in part", async () => {
	const name = await create();
	model(() => Response.json({ text: "x".repeat(200_000) }));
	const shown = await tryIt(name, { event: { type: "a", data: "y".repeat(200_000) } });
	expect(shown).toMatchObject({ request: { truncated: true }, output: { truncated: true } });
	expect(shown.request.body).toHaveLength(65_536);
	expect((shown["output"] as { data: string }).data).toHaveLength(65_536);
});

test("bytes are shown as base64", async () => {
	const name = await create({ protocol: "cloudevents" });
	model(() => new Response(new Uint8Array([0, 255]), { headers: { "content-type": "image/png" } }));
	expect(await tryIt(name)).toMatchObject({
		response: { body_excerpt: null },
		output: { content_type: "image/png", data_base64: "AP8=" },
	});
});

test("a model that sends an event is shown with it", async () => {
	const name = await create();
	const event = { specversion: "1.0", id: "1", source: "/m", type: "made", data: { ok: true } };
	model(() => Response.json(event, { headers: { "content-type": "application/cloudevents+json" } }));
	expect(await tryIt(name)).toMatchObject({
		output: { cloudevent: { id: "1", source: "/m", type: "made" }, data: { ok: true } },
	});
});

test("a paused endpoint can be tried, and stays as it is", async () => {
	const name = await create({ status: "paused" });
	const calls = model(() => new Response(null, { status: 410 }));
	const before = await must("GET", `/v1/endpoints/${name}@1`);
	expect(await tryIt(name)).toMatchObject({ outcome: "gone" });
	expect(calls).toHaveLength(1);
	expect(await must("GET", `/v1/endpoints/${name}@1`)).toEqual(before);
});

test("nothing is recorded", async () => {
	const name = await create();
	model(() => new Response(null, { status: 500 }));
	await tryIt(name);
	const { id } = await must("GET", `/v1/endpoints/${name}@1`);
	expect(await must("GET", `/v1/deliveries?endpoint=${id}`)).toMatchObject({ data: [] });
	const [kept, alarm] = await runInDurableObject(dispatcher(env, id), async (_, { storage }) => [
		storage.sql.exec("SELECT count(*) AS n FROM deliveries").one()["n"],
		await storage.getAlarm(),
	]);
	expect([kept, alarm]).toEqual([0, null]);
});

test("a key is sent no event that it may not read, whatever endpoint it tests", async () => {
	const name = await create();
	await must("POST", "/v1/sources", { name: `foreign-${name}` });
	await must("POST", "/v1/sources", { name: `own-${name}` });
	const sources = await must<{ data: Resource[] }>("GET", "/v1/sources?name=*");
	const idOf = (source: string) => sources.data.find((one) => one.name === source)?.id ?? "";
	const key = await must("POST", "/v1/keys", {
		name: `tester-${name}`,
		role: "subscriber",
		endpoints: [name],
		sources: [`own-${name}`],
	});
	const authorization = `Bearer ${String(key["key"])}`;
	const calls = model(() => Response.json({}));
	const test = (source: string) => {
		const event_id = eventId(idOf(source), { source: "/x", id: "1" });
		return ask("POST", `/v1/endpoints/${name}@1/test`, { event_id }, { authorization });
	};
	expect(await test(`foreign-${name}`)).toMatchObject({ status: 403, body: { code: "forbidden" } });
	// It may read events of this one, and there is none.
	expect(await test(`own-${name}`)).toMatchObject({ status: 404 });
	expect(calls).toEqual([]);
});

describe("a request that cannot be made is refused", () => {
	test.each([
		["an event without a type", { event: { data: 1 } }, 422, "invalid_request", ["event.type"]],
		["an unknown field", { event: { type: "a", kind: "b" } }, 422, "invalid_request", ["event.kind"]],
		["two events", { event: { type: "a" }, event_id: "evt_1" }, 422, "invalid_request", ["event_id"]],
		["a bad time", { event: { type: "a", time: "now" } }, 400, "invalid_cloudevent", ["event.time"]],
		["a transform that does not compile", { transform: "data.(" }, 422, "invalid_request", ["transform"]],
		["a transform that fails", { transform: '$error("no")' }, 422, "transform_failed", []],
		["a transform without a value", { transform: "data.missing" }, 422, "transform_failed", []],
		["an event that is not there", { event_id: "evt_nothing" }, 404, "event_not_found", []],
		["no JSON", "{", 400, "invalid_json", []],
	])("%s", async (_what, body, status, code, paths) => {
		const name = await create();
		const calls = model(() => Response.json({}));
		const answer = await ask("POST", `/v1/endpoints/${name}@1/test`, body);
		expect(answer).toMatchObject({ status, body: { code } });
		expect(answer.headers.get("content-type")).toBe("application/problem+json");
		expect(badPaths(answer)).toEqual(paths);
		expect(calls).toEqual([]);
	});

	test("an input that does not fit the protocol, and why", async () => {
		const name = await create({ protocol: "cog" });
		const { status, body } = await ask("POST", `/v1/endpoints/${name}@1/test`, {
			event: { type: "a", data: "a text" },
		});
		expect({ status, code: body["code"] }).toEqual({ status: 422, code: "input_misfit" });
		expect(body["detail"]).toBe(
			"The input does not fit protocol cog: a prediction needs an object with one member for each input",
		);
	});

	test("an endpoint whose secrets cannot be read", async () => {
		const { endpoint } = await createSetting({ endpoint: { id: newId("ep") } });
		await env.DB.prepare("UPDATE endpoints SET auth = 'sealed with another key' WHERE id = ?")
			.bind(endpoint.id)
			.run();
		expect((await findEndpoint(env, endpoint.id))?.auth).toBeNull();
		const answer = await ask("POST", `/v1/endpoints/${endpoint.id}/test`);
		expect(answer).toMatchObject({ status: 503, body: { code: "secret_unreadable" } });
	});

	test("no endpoint", async () => {
		const answer = await ask("POST", "/v1/endpoints/nobody@1/test");
		expect(answer).toMatchObject({ status: 404, body: { code: "endpoint_not_found" } });
	});
});
