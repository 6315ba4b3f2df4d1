/**
 * What release 0.1 has stored, read by the code of now. The files in `0.1/` were written by that release and are
 * never edited: a change that cannot read them loses somebody's data.
 */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, test, vi, afterEach } from "vitest";
import { dispatcher } from "../../src/objects/clients.ts";
import type { DeliveryRecord } from "../../src/delivery/records.ts";
import { eventLog } from "../../src/objects/clients.ts";
import { appendSome } from "../../src/events/log/append.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { decodeMessage } from "../../src/events/queue/message.ts";
import { puller } from "../../src/objects/clients.ts";
import { findEndpoint, listEndpoints } from "../../src/store/resources/endpoints.ts";
import { loadSettings } from "../../src/store/views/settings.ts";
import { loadRoutingTable } from "../../src/store/views/routing.ts";
import { readCachedSource } from "../../src/store/views/source-cache.ts";
import { findSource, listSources } from "../../src/store/resources/sources.ts";
import { findSubscription } from "../../src/store/resources/subscriptions.ts";
import { ask, must, type Page } from "../api/client.ts";
import { model, type Setting, whenStatus } from "../delivery/dispatcher.fixtures.ts";
import database from "./0.1/d1.json";
import dispatcherStorage from "./0.1/dispatcher.json";
import eventLogStorage from "./0.1/event-log.json";
import copies from "./0.1/kv.json";
import pullerStorage from "./0.1/puller.json";
import messages from "./0.1/queue.json";
import { restoreDatabase, restoreObject } from "./restore.ts";

function storedLog(): ReturnType<typeof eventLog> {
	return eventLog(env, SOURCE);
}

function setting(): Setting {
	return { dispatcher: dispatcher(env, ENDPOINT) } as Setting;
}

function read(delivery: string): Promise<DeliveryRecord | null> {
	return dispatcher(env, ENDPOINT).get(delivery);
}

const ALL = { after: null, limit: 100 };
const ENDPOINT = "ep_aaaaaaaaaa";
const SOURCE = "src_aaaaaaaaaa";

beforeEach(async () => {
	await restoreDatabase(database);
});
afterEach(() => {
	vi.restoreAllMocks();
});

describe("D1", () => {
	test("sources keep their auth, settings, expressions and both secrets", async () => {
		expect((await listSources(env, ALL)).map(({ name }) => name).sort()).toEqual(
			["bucket", "documents", "hub", "pulled", "stopped"].sort(),
		);
		expect(await findSource(env, "documents")).toMatchObject({
			id: SOURCE,
			kind: "generic",
			description: "scans",
			auth: { type: "bearer" },
			eventType: '="document." & body.kind',
			subject: "=body.path",
			dedupeKey: "body.id",
			secrets: [
				{ value: "newer-secret", createdAt: 1_764_000_000_000, expiresAt: null },
				{ value: "older-secret", createdAt: 1_763_999_999_000, expiresAt: 4_000_000_000_000 },
			],
		});
		expect(await findSource(env, "bucket")).toMatchObject({
			auth: { type: "sns" },
			secrets: [],
			settings: {
				topic_arns: ["arn:aws:sns:eu-central-1:123456789012:scans"],
				require_signature_version_2: false,
			},
		});
	});

	test("a source that was disabled takes no events", async () => {
		const { status } = await ask("POST", "/in/stopped", {});
		expect(status).toBeGreaterThanOrEqual(400);
		expect(status).not.toBe(401);
	});

	test("endpoints keep credentials, policies and why they have stopped", async () => {
		expect((await listEndpoints(env, ALL)).length).toBe(3);
		expect(await findEndpoint(env, "ocr@1")).toMatchObject({
			id: ENDPOINT,
			auth: { type: "bearer", token: "endpoint-token" },
			headers: { "x-api-key": "header-secret" },
			status: "active",
			statusReason: null,
			signingSecrets: [{ value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", expiresAt: null }],
		});
		expect(await findEndpoint(env, "ocr@2")).toMatchObject({
			auth: { type: "basic", username: "u", password: "p" },
			status: "paused",
			statusReason: "unauthorized",
			retry: {
				scheduleSeconds: [5, 300],
				busyMaxWaitSeconds: 3600,
				coldStartSeconds: 60,
				statuses: [404],
				busyStatuses: [500],
			},
		});
		expect(await findEndpoint(env, "gone@1")).toMatchObject({
			protocol: "cloudevents",
			maxConcurrency: 20,
			status: "disabled",
			statusReason: "gone",
		});
	});

	test("subscriptions keep filters, targets, transforms and whether they are on", async () => {
		expect(await findSubscription(env, "ocr-scans")).toMatchObject({
			sourceId: SOURCE,
			types: ["document.*", "page.added"],
			filters: [
				{ exact: { type: "document.inserted" } },
				{ all: [{ prefix: { subject: "scans/" } }, { not: { suffix: { subject: ".tmp" } } }] },
				{ any: [{ jsonata: "data.size < 5000000" }, { exact: { source: "/x" } }] },
			],
			target: { endpointId: ENDPOINT },
			transform: '{"url": data.url}',
			result: { type: "ocr.completed", transform: "result.text", maxHops: 4, allowCycles: true },
		});
		expect(await findSubscription(env, "latest")).toMatchObject({ target: { latestOf: "ocr" } });
		const { subscriptions } = await loadRoutingTable(env);
		expect(subscriptions).toHaveLength(6);
		const matches = await must<Page>("GET", "/v1/subscriptions");
		expect(matches.data).toHaveLength(6);
	});

	test("a dispatcher finds its settings", async () => {
		const policy = await loadSettings(env, ENDPOINT);
		expect(policy).toMatchObject({ endpoint: { id: ENDPOINT } });
		expect(typeof policy === "object" && policy.subscriptions.size).toBe(5);
	});
});

test("KV: a copy of a source", async () => {
	for (const [key, value] of Object.entries(copies)) await env.SOURCES.put(key, value);
	const source = await findSource(env, "documents");
	expect((await readCachedSource(env, "documents"))?.source).toEqual(source);
	expect((await readCachedSource(env, SOURCE))?.source).toEqual(source);
});

describe("the queue", () => {
	test("events of every kind of data, byte for byte", () => {
		expect(decodeMessage(messages.segment)).toEqual({ kind: "events", events: messages.events });
		expect(decodeMessage(messages.result)).toEqual({ kind: "events", events: [messages.result_event] });
	});

	test("a reference to spilled events", () => {
		expect(decodeMessage(messages.reference)).toEqual({ kind: "spilled", logId: SOURCE, key: "0123abcd" });
	});
});

describe("the event log", () => {
	const events = messages.events as SluiceEvent[];
	beforeEach(async () => {
		await restoreObject(storedLog(), eventLogStorage);
	});

	test("events are found and listed with their decisions", async () => {
		for (const event of events) expect((await storedLog().get(event.id))?.event).toEqual(event);
		const { items } = await storedLog().list({ limit: 10 });
		expect(items.map(({ event }) => event.id)).toEqual(events.map(({ id }) => id).reverse());
		expect((await storedLog().get(events[4]?.id ?? ""))?.decisions).toMatchObject([{ dead: "loop" }]);
	});

	test("they are still known", async () => {
		const known = await appendSome(
			env,
			SOURCE,
			events.map((event) => ({ event, decisions: [] })),
		);
		expect(known.map((first) => first?.decisions.length)).toEqual([1, 1, 1, 0, 1]);
	});

	test("spilled events can be read and dropped", async () => {
		expect(await storedLog().readSpilled("0123abcd")).toHaveLength(2);
		await storedLog().dropSpilled("0123abcd");
		expect(await storedLog().readSpilled("0123abcd")).toEqual([]);
	});
});

describe("a dispatcher", () => {
	const { ids } = dispatcherStorage;
	beforeEach(async () => {
		model(() => Response.json({ words: 4 }));
		await env.DB.prepare("UPDATE endpoints SET status = 'paused', status_reason = 'manual'").run();
		// The hold of two hours that was stored then is over at some time; these tests hold at any.
		const kv = { ...dispatcherStorage.kv, hold_until: 0 };
		await restoreObject(dispatcher(env, ENDPOINT), { ...dispatcherStorage, kv });
	});

	test("finished deliveries are read with attempts, results and reasons", async () => {
		expect(await read(ids.succeeded)).toMatchObject({
			status: "succeeded",
			attempts: [{ number: 1, statusCode: 200, outcome: "done", excerpt: '{"words":4}' }],
			result: { data: { kind: "json", text: '{"words":4}' }, contentType: "application/json" },
		});
		expect((await read(ids.succeeded_text))?.result?.data).toEqual({ kind: "text", text: "plain words" });
		expect((await read(ids.succeeded_large))?.result?.data).toMatchObject({
			text: `{"text":"${"a".repeat(151_000)}"}`,
		});
		expect((await read(ids.succeeded_empty))?.result).toBeNull();
		expect((await read(ids.published))?.resultEventId).toMatch(/^evt_\w+results$/);
		expect(await read(ids.rejected)).toMatchObject({ status: "dead", reason: "rejected" });
		expect(await read(ids.loop)).toMatchObject({ status: "dead", reason: "loop" });
		expect(await read(ids.canceled)).toMatchObject({ status: "canceled" });
	});

	test("all that is stored is listed", async () => {
		const { items } = await dispatcher(env, ENDPOINT).list({ limit: 50 });
		expect(items).toHaveLength(15);
	});

	test("unfinished deliveries are counted", async () => {
		const { items } = await dispatcher(env, ENDPOINT).list({ limit: 50 });
		const owed = items.filter(({ status }) => status === "pending" || status === "publishing");
		expect(await dispatcher(env, ENDPOINT).health()).toMatchObject({
			backlog: owed.length,
			oldestPendingAt: Math.min(...owed.map(({ createdAt }) => createdAt)),
		});
		expect(owed.length).toBeGreaterThan(0);
	});

	test("owed deliveries continue when the endpoint does: retries, outputs without an event, untried ones", async () => {
		await must("POST", `/v1/endpoints/${ENDPOINT}/resume`);
		for (const id of [ids.waiting, ids.untried[0] ?? "", ids.untried[1] ?? ""]) {
			await whenStatus(setting(), id, "succeeded");
		}
		await whenStatus(setting(), ids.untried[2] ?? "", "dead");
		// Refused where their own time has come already.
		await ask("POST", `/v1/deliveries/${ids.retrying}/retry`);
		await ask("POST", `/v1/deliveries/${ids.busy}/retry`);
		expect((await whenStatus(setting(), ids.retrying, "succeeded")).attempts).toHaveLength(2);
		expect((await whenStatus(setting(), ids.busy, "succeeded")).attempts).toHaveLength(2);
	});

	test("dead ones can be sent again, and an output is transformed again without calling the model", async () => {
		await must("POST", `/v1/endpoints/${ENDPOINT}/resume`);
		await must("POST", `/v1/deliveries/${ids.rejected}/retry`);
		await whenStatus(setting(), ids.rejected, "succeeded");
		await must("PATCH", "/v1/subscriptions/shapes", { result: { transform: "result.a" } });
		await must("POST", `/v1/deliveries/${ids.transform_failed}/retry`);
		const shaped = await whenStatus(setting(), ids.transform_failed, "succeeded");
		expect(shaped.attempts).toHaveLength(1);
		expect(shaped.resultEventId).not.toBeNull();
	});
});

test("a puller says how its last round went", async () => {
	const stub = puller(env, "src_eeeeeeeeee");
	await restoreObject(stub, { schema: [], tables: {}, ...pullerStorage });
	await runInDurableObject(stub, async (instance) => {
		expect(await instance.status("src_eeeeeeeeee")).toMatchObject({
			status: "failing",
			lastError: "the queue does not exist",
			lastMessageAt: 1_764_000_000_000,
		});
	});
});
