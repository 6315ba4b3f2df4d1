import { env } from "cloudflare:workers";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { MAX_EVENT_BYTES } from "../../src/events/event.ts";
import { receive } from "../../src/ingest/receive.ts";
import { forgetSource } from "../../src/ingest/source-lookup.ts";
import { cacheSource } from "../../src/store/views/source-cache.ts";
import { findSource, insertSource } from "../../src/store/resources/sources.ts";
import type { ReadableSource } from "../../src/store/records.ts";
import { type Captured, captureQueue } from "../sources/capture.ts";
import { makeSource } from "../sources/make-source.ts";

const SECRET = "top-secret-value";
const BEARER: Partial<ReadableSource> = {
	auth: { type: "bearer" },
	secrets: [{ value: SECRET, createdAt: 0, expiresAt: null }],
};
const TOO_LARGE = JSON.stringify("x".repeat(MAX_EVENT_BYTES));
const CE = { specversion: "1.0", source: "/s", type: "t" };

let logged: MockInstance<typeof console.log>;
beforeEach(() => {
	logged = vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
	logged.mockRestore();
});

function lines(): Record<string, unknown>[] {
	return logged.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
}

async function stored(
	changes: Partial<ReadableSource> = {},
	queue = captureQueue(),
): Promise<ReadableSource> {
	const source = makeSource(changes);
	await insertSource(queue.env, source);
	await cacheSource(queue.env, source);
	forgetSource(source);
	return source;
}

async function send(queue: Captured, ref: string, init: RequestInit = {}, query = ""): Promise<Response> {
	const ctx = createExecutionContext();
	const request = new Request(`https://sluice.example/in/${ref}${query}`, { method: "POST", ...init });
	const response = await receive(request, queue.env, ctx, ref);
	await waitOnExecutionContext(ctx);
	return response;
}

function json(value: unknown, headers: Record<string, string> = {}): RequestInit {
	const body = typeof value === "string" ? value : JSON.stringify(value);
	return { body, headers: { "content-type": "application/json", ...headers } };
}

async function refusal(response: Response): Promise<unknown> {
	expect(response.headers.get("content-type")).toBe("application/problem+json");
	return { ...(await response.json<object>()), detail: undefined };
}

describe("accepted", () => {
	test("a signed row is one event in the queue, byte for byte", async () => {
		const auth = { type: "hmac", header: "x-sig", algorithm: "sha256", encoding: "hex", prefix: "" } as const;
		const source = await stored({ ...BEARER, auth, eventType: "document.inserted" });
		const queue = captureQueue();
		const body = '{ "id": 9007199254740993, "ratio": 1.50 }';
		const signature = createHmac("sha256", SECRET).update(body).digest("hex");
		const response = await send(queue, source.name, json(body, { "x-sig": signature }));
		expect(response.status).toBe(202);
		const events = await queue.events();
		expect(await response.json()).toEqual({ id: events[0]?.id });
		expect(events).toEqual([
			{
				id: expect.stringMatching(/^evt_[0-9a-z]{32}$/),
				sourceId: source.id,
				receivedAt: expect.any(Number),
				attributes: {
					id: expect.stringMatching(/^[0-9a-f-]{36}$/),
					source: `/sources/${source.name}`,
					type: "document.inserted",
					time: expect.stringMatching(/Z$/),
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: body },
			},
		]);
	});

	test("by id as well as by name", async () => {
		const source = await stored();
		const queue = captureQueue();
		expect((await send(queue, source.id, json({}))).status).toBe(202);
		expect(await queue.events()).toHaveLength(1);
	});

	test("a publisher's id gives the same event id each time, another source another", async () => {
		const queue = captureQueue();
		const event = json({ ...CE, id: "7" }, { "content-type": "application/cloudevents+json" });
		const [first, second] = [await stored({ kind: "cloudevents" }), await stored({ kind: "cloudevents" })];
		const ids: unknown[] = [];
		for (const { name } of [first, first, second]) {
			ids.push(await (await send(queue, name, event)).json<unknown>());
		}
		expect(ids[0]).toEqual(ids[1]);
		expect(ids[0]).not.toEqual(ids[2]);
	});

	test("the ids of a batch are returned in order, and it travels in one message", async () => {
		const source = await stored({ kind: "cloudevents" });
		const queue = captureQueue();
		const batch = Array.from({ length: 30 }, (_, index) => ({ ...CE, id: String(index), data: { index } }));
		const response = await send(
			queue,
			source.name,
			json(batch, { "content-type": "application/cloudevents-batch+json" }),
		);
		expect(response.status).toBe(202);
		const events = await queue.events();
		expect(queue.messages).toHaveLength(1);
		expect(await response.json()).toEqual({ ids: events.map(({ id }) => id) });
		expect(events.map(({ attributes }) => attributes.id)).toEqual(batch.map(({ id }) => id));
		expect(lines()).toEqual([]);
	});

	test("the router's own attributes are taken from what publishers send", async () => {
		const source = await stored({ kind: "cloudevents" });
		const queue = captureQueue();
		const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
		await send(queue, source.name, { headers: { ...headers, "ce-sluicehops": "0", "ce-myext": "x" } });
		expect((await queue.events())[0]?.attributes).toEqual({ id: "1", source: "/s", type: "t", myext: "x" });
	});

	test("bodies between the queue's limit and 1 MB, with and without a declared length", async () => {
		const source = await stored();
		const queue = captureQueue();
		const body = JSON.stringify("x".repeat(MAX_EVENT_BYTES - 2));
		const streamed = { ...json(""), body: new Blob([body]).stream() };
		const declared = json(body, { "content-length": String(MAX_EVENT_BYTES) });
		expect((await send(queue, source.name, declared)).status).toBe(202);
		expect((await send(queue, source.name, streamed)).status).toBe(202);
		const events = await queue.events();
		expect(events.map(({ data }) => data?.kind === "json" && data.text === body)).toEqual([true, true]);
	});

	test("an expression that fails is noted, and the event accepted", async () => {
		const source = await stored({ eventType: "=$error('no')" });
		const queue = captureQueue();
		expect((await send(queue, source.name, json({}))).status).toBe(202);
		const [event] = await queue.events();
		expect(event?.attributes.type).toBe(source.name);
		expect(lines()).toEqual([
			{ event: "ingest.unresolved", source: source.name, unresolved: ["event_type"], event_ids: [event?.id] },
		]);
	});
});

describe("an expression of the source that overruns is set aside, and the event accepted", () => {
	// The engine of JavaScript would take for ever.
	const HOSTILE = "[1..100000].$contains($$.body.a, /^(a+)+$/)";
	const body = { a: `${"a".repeat(3_000)}!`, id: "7" };

	test.each<[field: string, changes: Partial<ReadableSource>, attributes: object]>([
		["event_type", { eventType: `=${HOSTILE}`, subject: "=body.id" }, { subject: "7" }],
		["subject", { eventType: "=body.id", subject: `=${HOSTILE}` }, { type: "7" }],
		[
			"dedupe_key",
			{ eventType: "=body.id", dedupeKey: HOSTILE },
			{ type: "7", id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
		],
	])("%s", async (field, changes, attributes) => {
		const source = await stored(changes);
		const bystander = await stored({ eventType: "=body.id" });
		const queue = captureQueue();
		expect((await send(queue, source.name, json(body))).status).toBe(202);
		// From memory, and from the copy that says nothing of it; then from what D1 says.
		expect((await send(queue, source.name, json(body))).status).toBe(202);
		forgetSource(source);
		expect((await send(queue, source.name, json(body))).status).toBe(202);
		expect((await send(queue, bystander.name, json(body))).status).toBe(202);
		const events = await queue.events();
		expect(events).toHaveLength(4);
		for (const event of events.slice(0, 3)) expect(event.attributes).toMatchObject(attributes);
		if (field === "event_type") expect(events[0]?.attributes.type).toBe(source.name);
		expect(events[0]?.attributes.subject === undefined).toBe(field !== "event_type");
		expect(events[3]?.attributes.type).toBe("7");
		const { quarantine } = (await findSource(env, source.id)) ?? {};
		expect(quarantine).toMatchObject({ field, reason: expect.stringContaining("too many steps") });
		const told = lines().filter(({ event }) => event === "expression.set_aside");
		expect(told).toEqual([expect.objectContaining({ owner: source.id, field, stored: true })]);
	});

	test("a regular expression that takes exponential time elsewhere takes none here", async () => {
		const source = await stored({ eventType: "=$contains(body.a, /^(a+)+$/) ? 'yes' : 'no'" });
		const queue = captureQueue();
		expect((await send(queue, source.name, json({ a: `${"a".repeat(100_000)}!` }))).status).toBe(202);
		expect((await queue.events())[0]?.attributes.type).toBe("no");
	});
});

describe("refused, and nothing is sent", () => {
	test.each<[what: string, source: Partial<ReadableSource>, init: RequestInit, status: number, code: string]>(
		[
			["paused", { status: "paused" }, json({}), 503, "source_paused"],
			["no credentials", BEARER, json({}), 401, "unauthorized"],
			["wrong credentials", BEARER, json({}, { authorization: "Bearer wrong" }), 401, "unauthorized"],
			["wrong credentials before broken JSON", BEARER, json("{"), 401, "unauthorized"],
			["broken JSON", {}, json("{"), 400, "invalid_json"],
			["compressed", {}, json({}, { "content-encoding": "gzip" }), 415, "unsupported_content_encoding"],
			["too large", {}, json(TOO_LARGE), 413, "body_too_large"],
			[
				"too large by its own word",
				{},
				json({}, { "content-length": String(MAX_EVENT_BYTES + 1) }),
				413,
				"body_too_large",
			],
			["larger than its word", {}, json(TOO_LARGE, { "content-length": "2" }), 413, "body_too_large"],
			["too large without a length", {}, { ...json(""), body: endless() }, 413, "body_too_large"],
			["no CloudEvent", { kind: "cloudevents" }, json({}), 415, "unsupported_media_type"],
			["GET", {}, { method: "GET" }, 405, "method_not_allowed"],
			["PUT", {}, { method: "PUT", body: "x" }, 405, "method_not_allowed"],
			["OPTIONS where nothing is to be agreed", {}, { method: "OPTIONS" }, 405, "method_not_allowed"],
		],
	)("%s", async (_what, changes, init, status, code) => {
		const source = await stored(changes);
		const queue = captureQueue();
		const response = await send(queue, source.name, init);
		expect(response.status).toBe(status);
		expect(await refusal(response)).toMatchObject({ status, code });
		expect(queue.messages).toEqual([]);
		expect(lines()).toEqual([
			expect.objectContaining({ event: "ingest.refused", source: source.name, status, code }),
		]);
	});

	test.each(["unknown-name", "src_0000000000", "api", "results", "sluice"])(
		"no such source: %s",
		async (ref) => {
			const queue = captureQueue();
			const response = await send(queue, ref, json({}));
			expect(response.status).toBe(404);
			expect(await refusal(response)).toMatchObject({ code: "source_not_found" });
			expect(queue.messages).toEqual([]);
		},
	);

	test("an invented name is logged with at most a hundred characters", async () => {
		expect((await send(captureQueue(), "x".repeat(10_000), json({}))).status).toBe(404);
		expect(lines()).toMatchObject([{ event: "ingest.refused", source: "x".repeat(100), status: 404 }]);
	});

	test("a bad event in a batch refuses the whole batch and is named", async () => {
		const source = await stored({ kind: "cloudevents" });
		const queue = captureQueue();
		const batch = [
			{ ...CE, id: "1" },
			{ ...CE, id: "2", type: "" },
		];
		const response = await send(
			queue,
			source.name,
			json(batch, { "content-type": "application/cloudevents-batch+json" }),
		);
		expect(response.status).toBe(400);
		expect(await refusal(response)).toMatchObject({
			code: "invalid_cloudevent",
			errors: [{ path: "[1].type" }],
		});
		expect(queue.messages).toEqual([]);
	});

	test("a 401 names the scheme, a 405 the method", async () => {
		const queue = captureQueue();
		const unauthorized = await send(queue, (await stored(BEARER)).name, json({}));
		expect(unauthorized.headers.get("www-authenticate")).toBe("Bearer");
		const wrongMethod = await send(queue, (await stored()).name, { method: "DELETE" });
		expect(wrongMethod.headers.get("allow")).toBe("POST");
	});

	test("a 401 says which proof the source expects, and the same whatever was wrong", async () => {
		const queue = captureQueue();
		const { name } = await stored(BEARER);
		const details = new Set<unknown>();
		for (const authorization of ["", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "Bearer"]) {
			const response = await send(queue, name, json({}, { authorization }));
			details.add((await response.json<{ detail: string }>()).detail);
		}
		expect([...details]).toEqual([expect.stringContaining("`authorization: Bearer SECRET`")]);
	});

	test("a full queue is a 503 with Retry-After, never a 202", async () => {
		const queue = captureQueue(new Error("Queue send failed: Too Many Requests"));
		const response = await send(queue, (await stored()).name, json({}));
		expect(response.status).toBe(503);
		expect(response.headers.get("retry-after")).toBe("1");
		expect(await refusal(response)).toMatchObject({ code: "queue_unavailable" });
	});

	test("a database that cannot be asked is a 503, not a 404", async () => {
		const queue = captureQueue();
		const down = {
			get: () => {
				throw new Error("down");
			},
		};
		const env = { ...queue.env, DB: new Proxy({}, down) as D1Database };
		const response = await send({ ...queue, env }, makeSource().name, json({}));
		expect(response.status).toBe(503);
		expect(response.headers.get("retry-after")).toBe("5");
		expect(await refusal(response)).toMatchObject({ code: "source_unavailable" });
	});
});

describe("the webhook handshake of kind cloudevents", () => {
	const ask = { method: "OPTIONS", headers: { "webhook-request-origin": "eventemitter.example.com" } };

	test("consent is given to the origin that asks", async () => {
		const response = await send(captureQueue(), (await stored({ ...BEARER, kind: "cloudevents" })).name, ask);
		expect(response.status).toBe(200);
		expect(response.headers.get("webhook-allowed-origin")).toBe("eventemitter.example.com");
		expect(response.headers.get("webhook-allowed-rate")).toBe("*");
	});

	test.each([
		["another kind", { kind: "generic" }, ask],
		["nobody asks", { kind: "cloudevents" }, { method: "OPTIONS" }],
	])("no consent: %s", async (_what, changes, init) => {
		const response = await send(captureQueue(), (await stored(changes)).name, init);
		expect(response.status).toBe(405);
		expect(response.headers.has("webhook-allowed-origin")).toBe(false);
	});
});

test("log lines hold no secret, header value, query or payload", async () => {
	const queue = captureQueue();
	const byToken = await stored({ ...BEARER, auth: { type: "url_token" }, eventType: "=$number(body.card)" });
	const byHeader = await stored(BEARER);
	const body = { card: "payload-value" };
	expect((await send(queue, byToken.name, json(body), `?token=${SECRET}`)).status).toBe(202);
	expect((await send(queue, byToken.name, json(body), "?token=guess-value")).status).toBe(401);
	expect((await send(queue, byHeader.name, json(body, { authorization: `Bearer ${SECRET}` }))).status).toBe(
		202,
	);
	expect(lines().map(({ event }) => event)).toEqual(["ingest.unresolved", "ingest.refused"]);
	expect(JSON.stringify(lines())).not.toMatch(/-value/);
});

function endless(): ReadableStream<Uint8Array> {
	const chunk = new Uint8Array(65_536).fill(0x20);
	return new ReadableStream({
		pull(controller) {
			controller.enqueue(chunk);
		},
	});
}
