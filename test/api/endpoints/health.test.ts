import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { dispatcher } from "../../../src/objects/clients.ts";
import { createSetting, incoming, model, whenStatus } from "../../delivery/dispatcher.fixtures.ts";
import { ask, badPaths, must, ORIGIN } from "../client.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

let count = 0;

async function create(fields: Record<string, unknown>): Promise<string> {
	const name = `watched-${++count}`;
	await must("POST", "/v1/endpoints", { name, url: "https://models.example.com", ...fields });
	return name;
}

const UNUSED = {
	status: "active",
	status_reason: null,
	blocked_by: null,
	blocked_until: null,
	in_flight: 0,
	limit: null,
	max_concurrency: 5,
	waiting: 0,
	backlog: 0,
	oldest_pending_at: null,
	oldest_pending_age_seconds: null,
	latency_ms: { p50: null, p95: null, p99: null, samples: 0, window_seconds: 0 },
	outcomes: { done: 0, accepted: 0, busy: 0, error: 0, bad_input: 0, unauthorized: 0, quota: 0, gone: 0 },
	ready: null,
};

describe("the health of an endpoint", () => {
	test("that was never used", async () => {
		const calls = model(() => Response.json({}));
		const name = await create({ protocol: "bentoml", model: "read" });
		expect(await must("GET", `/v1/endpoints/${name}@1/health`)).toEqual(UNUSED);
		// Who only looks asks no model.
		expect(calls).toEqual([]);
	});

	test("that has worked, and has something to do again", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 3 } });
		model(() => Response.json({}));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "succeeded");
		await must("POST", `/v1/endpoints/${setting.endpoint.id}/pause`);
		const waiting = incoming(setting);
		await setting.dispatcher.enqueue([waiting]);
		const found = await setting.dispatcher.get(waiting.id);
		expect(await must("GET", `/v1/endpoints/${setting.endpoint.id}/health`)).toMatchObject({
			status: "paused",
			status_reason: "manual",
			blocked_by: "paused",
			max_concurrency: 3,
			backlog: 1,
			oldest_pending_at: new Date(found?.createdAt ?? 0).toISOString(),
			oldest_pending_age_seconds: expect.any(Number),
			latency_ms: { p50: expect.any(Number), samples: 1 },
			outcomes: { done: 1 },
		});
	});

	test("whose dispatcher runs the release before says what that knows", async () => {
		const name = await create({ max_concurrency: 2 });
		const { id } = await must("GET", `/v1/endpoints/${name}@1`);
		await runInDurableObject(dispatcher(env, id), (instance) => {
			vi.spyOn(Object.getPrototypeOf(instance), "health").mockImplementation(() => {
				throw new TypeError('The RPC receiver does not implement the method "health".');
			});
		});
		expect(await must("GET", `/v1/endpoints/${name}@1/health`)).toEqual({
			...UNUSED,
			in_flight: null,
			max_concurrency: 2,
			waiting: null,
			backlog: null,
			latency_ms: null,
			outcomes: null,
		});
	});

	test("of an unknown endpoint, and with an unknown parameter", async () => {
		expect(await ask("GET", "/v1/endpoints/nobody@1/health")).toMatchObject({
			status: 404,
			body: { code: "endpoint_not_found" },
		});
		const answer = await ask("GET", `/v1/endpoints/${await create({})}@1/health?probe=1`);
		expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
		expect(badPaths(answer)).toEqual(["probe"]);
	});
});

describe("whether the model is ready", () => {
	test("is asked for by ?probe=true, with the endpoint's credentials and headers, and no more than that", async () => {
		const name = await create({
			protocol: "open-inference",
			model: "iris",
			auth: { type: "bearer", token: "secret-token" },
			headers: { "x-team": "blue" },
			status: "paused",
		});
		const calls = model(() => Response.json({ name: "iris", ready: true }));
		expect(await must("GET", `/v1/endpoints/${name}@1/health?probe=true`)).toMatchObject({
			ready: true,
			status: "paused",
		});
		expect(calls).toHaveLength(1);
		expect(calls[0]).toMatchObject({
			method: "GET",
			url: "https://models.example.com/v2/models/iris/ready",
			body: "",
		});
		const headers = Object.fromEntries(calls[0]?.headers ?? []);
		expect(headers).toMatchObject({ authorization: "Bearer secret-token", "x-team": "blue" });
		expect(Object.keys(headers).filter((header) => /^(?:webhook|sluice|ce)-/.test(header))).toEqual([]);
	});

	test.each([
		["is loading", "cog", () => Response.json({ status: "STARTING" }), false],
		["cannot be reached", "cog", () => Promise.reject(new TypeError("Network connection lost.")), false],
		["has no such path", "bentoml", () => new Response(null, { status: 404 }), null],
		["says more than is read", "openai-chat", () => Response.json({ data: ["x".repeat(1_100_000)] }), null],
		["redirects", "open-inference", () => Response.redirect("https://elsewhere.example/", 302), false],
	])("a server that %s", async (_what, protocol, answer, ready) => {
		const name = await create({ protocol, model: "m" });
		const calls = model(answer);
		expect(await must("GET", `/v1/endpoints/${name}@1/health?probe=true`)).toMatchObject({ ready });
		expect(calls).toHaveLength(1);
	});

	test("cannot be asked of a protocol that has no such question", async () => {
		const name = await create({});
		const calls = model(() => Response.json({}));
		expect(await must("GET", `/v1/endpoints/${name}@1/health?probe=true`)).toMatchObject({ ready: null });
		expect(calls).toEqual([]);
	});

	test("is not probed at an address that may not be called", async () => {
		const endpoint = { url: `${ORIGIN}/v1`, protocol: "openai-chat", model: "m" };
		const setting = await createSetting({ endpoint });
		const calls = model(() => Response.json({ data: [{ id: "m" }] }));
		const path = `/v1/endpoints/${setting.endpoint.id}/health?probe=true`;
		expect(await must("GET", path)).toMatchObject({ ready: null });
		expect(calls).toEqual([]);
	});
});
