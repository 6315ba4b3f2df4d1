import { env } from "cloudflare:workers";
import { createMessageBatch } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { changeSubscription } from "../store/change.ts";
import { eventLog } from "../../src/objects/clients.ts";
import { refusedBy } from "../../src/events/decision.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { deliveryId, logIdOf, newId, resultEventId } from "../../src/events/ids.ts";
import { enqueue } from "../../src/events/queue/enqueue.ts";
import { encodeReference } from "../../src/events/queue/message.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";
import { explain } from "../../src/routing/explain.ts";
import { routeBatch } from "../../src/routing/router.ts";
import { findSubscription } from "../../src/store/resources/subscriptions.ts";
import { captureQueue } from "../sources/capture.ts";
import { createSetting, type Setting } from "../delivery/dispatcher.fixtures.ts";
import { anEvent, route } from "./routing.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

/** Endpoints are paused, so that deliveries stay where they can be counted. */
async function subscribed(type: string): Promise<Setting> {
	return createSetting({ endpoint: { status: "paused" }, subscription: { types: [type] } });
}

async function backlogOf({ dispatcher }: Setting): Promise<string[]> {
	return (await dispatcher.list({ limit: 200 })).items.map(({ eventId }) => eventId).reverse();
}

describe("a batch", () => {
	test("goes to every dispatcher that is concerned, in one call each, and into the event log", async () => {
		const type = newId("src");
		const sourceId = newId("src");
		const [one, two] = [await subscribed(type), await subscribed(type)];
		const events = Array.from({ length: 10 }, () => anEvent(type, sourceId));
		const dispatchers = vi.spyOn(env.DISPATCHER, "get");
		const logs = vi.spyOn(env.EVENT_LOG, "get");
		expect(await route(encodeSegment(events.slice(0, 6)), encodeSegment(events.slice(6)))).toEqual({
			acked: ["m0", "m1"],
			retried: [],
		});
		expect(dispatchers).toHaveBeenCalledTimes(2);
		expect(logs).toHaveBeenCalledTimes(1);
		const ids = events.map(({ id }) => id);
		expect(await backlogOf(one)).toEqual(ids);
		expect(await backlogOf(two)).toEqual(ids);
		const entry = await eventLog(env, sourceId).get(ids[0] ?? "");
		expect(entry?.decisions.map(({ endpointId }) => endpointId).sort()).toEqual(
			[one.endpoint.id, two.endpoint.id].sort(),
		);
	});

	test("delivered twice creates nothing new, even when the routing has changed in between", async () => {
		const type = newId("src");
		const first = await subscribed(type);
		const message = encodeSegment([anEvent(type, newId("src"))]);
		await route(message);
		const later = await subscribed(type);
		await route(message);
		await route(message, message);
		expect(await backlogOf(first)).toHaveLength(1);
		expect(await backlogOf(later)).toEqual([]);
	});

	test("gives result events the budget that the operator has set, and the first decision is kept", async () => {
		const type = newId("src");
		const sourceId = newId("src");
		await subscribed(type);
		await subscribed(type);
		const fresh = anEvent(type, sourceId);
		const deep = { ...fresh, attributes: { ...fresh.attributes, sluicehops: 1, sluicechain: "sub_a" } };
		const message = { id: "m0", timestamp: new Date(), attempts: 1, body: encodeSegment([deep]) };
		for (const RESULT_BUDGET of ["1", "100"]) {
			await routeBatch(createMessageBatch("sluice-events", [message]), { ...env, RESULT_BUDGET });
			const entry = await eventLog(env, sourceId).get(deep.id);
			expect(entry?.decisions.filter((decision) => refusedBy(decision) === "budget")).toHaveLength(1);
		}
	});

	test("with a message that cannot be read: only that one is asked for again", async () => {
		const good = encodeSegment([anEvent("t", newId("src"))]);
		expect(await route("not a segment", good)).toEqual({ acked: ["m1"], retried: ["m0"] });
	});

	test("with an event that no filter can look at: only its message is asked for again", async () => {
		const type = newId("src");
		const setting = await createSetting({
			endpoint: { status: "paused" },
			subscription: { types: [type], filters: [{ jsonata: "$not($exists(data.size))" }] },
		});
		const good = anEvent(type, newId("src"));
		const broken: SluiceEvent = { ...anEvent(type, newId("src")), data: { kind: "json", text: "" } };
		expect(await route(encodeSegment([broken]), encodeSegment([good]))).toEqual({
			acked: ["m1"],
			retried: ["m0"],
		});
		expect(await backlogOf(setting)).toEqual([good.id]);
	});

	test("of which one dispatcher fails: only its messages are retried, and then succeed", async () => {
		const [type, failingType] = [newId("src"), newId("src")];
		const [healthy, failing] = [await subscribed(type), await subscribed(failingType)];
		const sourceId = newId("src");
		const messages = [
			encodeSegment([anEvent(type, sourceId)]),
			encodeSegment([anEvent(failingType, sourceId)]),
		];
		const get = env.DISPATCHER.get.bind(env.DISPATCHER);
		vi.spyOn(env.DISPATCHER, "get").mockImplementation((id, options) => {
			if (id.equals(env.DISPATCHER.idFromName(failing.endpoint.id))) throw new Error("overloaded");
			return get(id, options);
		});
		expect(await route(...messages)).toEqual({ acked: ["m0"], retried: ["m1"] });
		vi.restoreAllMocks();
		expect(await route(...messages.slice(1))).toEqual({ acked: ["m0"], retried: [] });
		expect(await backlogOf(healthy)).toHaveLength(1);
		expect(await backlogOf(failing)).toHaveLength(1);
	});

	test("whose source's event log fails is not dispatched, but asked for again", async () => {
		const type = newId("src");
		const setting = await subscribed(type);
		vi.spyOn(env.EVENT_LOG, "get").mockImplementation(() => {
			throw new Error("overloaded");
		});
		expect(await route(encodeSegment([anEvent(type, newId("src"))]))).toEqual({ acked: [], retried: ["m0"] });
		expect(await backlogOf(setting)).toEqual([]);
	});
});

describe("a filter that overruns", () => {
	const hostile = { jsonata: "($f := function($n) { $f($n + 1) }; $f(0))" };

	test("matches nothing and is set aside, and its neighbours get every event", async () => {
		const type = newId("src");
		const setting = await createSetting({
			endpoint: { status: "paused" },
			subscription: { types: [type], filters: [{ not: hostile }] },
		});
		const [before, after] = [await subscribed(type), await subscribed(type)];
		const events = Array.from({ length: 50 }, () => anEvent(type, newId("src")));
		expect(await route(...events.map((one) => encodeSegment([one])))).toMatchObject({ retried: [] });
		expect(await backlogOf(setting)).toEqual([]);
		for (const neighbour of [before, after]) expect(await backlogOf(neighbour)).toHaveLength(50);
		const { id } = setting.subscription;
		const { quarantine } = (await findSubscription(env, id)) ?? {};
		expect(quarantine).toMatchObject({
			field: "filters.0.not.jsonata",
			reason: expect.stringContaining("steps"),
		});
		const [first] = events;
		const unmatched =
			first === undefined ? [] : await explain(env, first, { readNames: async () => new Map() });
		expect(unmatched.find(({ subscription_id }) => subscription_id === id)?.reason).toContain("is set aside");

		// Mended, it takes part again.
		await changeSubscription(id, { filters: [], quarantine: null });
		await route(encodeSegment([anEvent(type, newId("src"))]));
		expect(await backlogOf(setting)).toHaveLength(1);
	});

	test("that release 0.1 has stored and this one refuses does not stop the table", async () => {
		const type = newId("src");
		const lookAhead = { jsonata: "$contains(data.a, /a(?=b)/)" };
		const setting = await createSetting({
			endpoint: { status: "paused" },
			subscription: { types: [type], filters: [{ not: lookAhead }] },
		});
		const neighbour = await subscribed(type);
		await route(encodeSegment([anEvent(type, newId("src"))]));
		expect(await backlogOf(setting)).toEqual([]);
		expect(await backlogOf(neighbour)).toHaveLength(1);
		expect((await findSubscription(env, setting.subscription.id))?.quarantine?.reason).toMatch(
			/look-around is not supported.*\(at character 20\)/,
		);
	});
});

describe("while something is down", () => {
	test("D1: every message comes back, later each time, and the batch does not fail", async () => {
		vi.spyOn(env.DB, "prepare").mockImplementation(() => {
			throw new Error("D1_ERROR: overloaded");
		});
		const delays: (number | undefined)[] = [];
		const messages = [1, 2, 3, 20].map((attempts) => ({
			id: `m${attempts}`,
			timestamp: new Date(),
			attempts,
			body: encodeSegment([anEvent("t", newId("src"))]),
			ack: () => expect.unreachable(),
			retry: (options?: QueueRetryOptions) => void delays.push(options?.delaySeconds),
		}));
		await routeBatch({ ...createMessageBatch("sluice-events", []), messages }, env);
		expect(delays).toEqual([5, 10, 20, 3600]);
	});

	test("one event log with spilled events: the other messages are routed all the same", async () => {
		const type = newId("src");
		const setting = await subscribed(type);
		const broken = newId("src");
		const get = env.EVENT_LOG.get.bind(env.EVENT_LOG);
		vi.spyOn(env.EVENT_LOG, "get").mockImplementation((id, options) => {
			if (id.equals(env.EVENT_LOG.idFromName(broken))) throw new Error("overloaded");
			return get(id, options);
		});
		const good = encodeSegment([anEvent(type, newId("src"))]);
		expect(await route(encodeReference({ logId: broken, key: "key" }), good)).toEqual({
			acked: ["m1"],
			retried: ["m0"],
		});
		expect(await backlogOf(setting)).toHaveLength(1);
	});
});

/** What an endpoint answers, as this release publishes it. */
function result(endpointId: string, type: string, text = "{}"): SluiceEvent {
	const id = deliveryId({ eventId: newId("src"), subscriptionId: "sub_1", endpointId });
	return {
		...anEvent(type, "src_results"),
		id: resultEventId({ endpointId, deliveryId: id }),
		data: { kind: "json", text },
	};
}

/** One with the id that release 0.1 gave it, as it may still be in the queue. */
function former(type: string): SluiceEvent {
	return anEvent(type, "src_results");
}

describe("results", () => {
	test("of several endpoints go to several logs, where their ids find them", async () => {
		const type = newId("src");
		const setting = await subscribed(type);
		const events = Array.from({ length: 40 }, () => result(newId("ep"), type));
		events.push(former(type));
		await route(encodeSegment(events));
		expect((await backlogOf(setting)).sort()).toEqual(events.map(({ id }) => id).sort());
		expect(new Set(events.map(({ id }) => logIdOf(id))).size).toBeGreaterThan(5);
		for (const { id } of events) {
			const entry = await eventLog(env, logIdOf(id) ?? "").get(id);
			expect(entry).toMatchObject({ event: { id, sourceId: "src_results" } });
			expect(entry?.decisions).toHaveLength(1);
		}
		expect(await eventLog(env, "src_results").get(events[0]?.id ?? "")).toBeNull();
	});

	test("that are retried create nothing new, whichever release published them", async () => {
		const type = newId("src");
		const setting = await subscribed(type);
		const body = encodeSegment([result(newId("ep"), type), former(type)]);
		await route(body);
		await route(body);
		expect(await backlogOf(setting)).toHaveLength(2);
	});

	test.each(["this release", "release 0.1"])(
		"too large for a message, of %s, are routed and dropped",
		async (release) => {
			const type = newId("src");
			const setting = await subscribed(type);
			const text = JSON.stringify("x".repeat(200_000));
			const large =
				release === "release 0.1"
					? { ...former(type), data: { kind: "json" as const, text } }
					: result(newId("ep"), type, text);
			const queue = captureQueue();
			await enqueue(queue.env, [large]);
			const [message = ""] = queue.messages;
			expect(message).toContain(`"source_id":"${logIdOf(large.id)}"`);
			expect(await route(message)).toEqual({ acked: ["m0"], retried: [] });
			expect(await backlogOf(setting)).toEqual([large.id]);
			expect(await queue.events()).toEqual([]);
		},
	);
});

describe("a message that refers to spilled events", () => {
	test("routes them like any others, and they are dropped from where they waited", async () => {
		const type = newId("src");
		const sourceId = newId("src");
		const setting = await subscribed(type);
		const events = [anEvent(type, sourceId), anEvent(type, sourceId)];
		await eventLog(env, sourceId).spill(
			"key",
			events.map((one) => encodeSegment([one])),
		);
		const message = encodeReference({ logId: sourceId, key: "key" });
		expect(await route(message)).toEqual({ acked: ["m0"], retried: [] });
		expect(await backlogOf(setting)).toEqual(events.map(({ id }) => id));
		expect(await eventLog(env, sourceId).readSpilled("key")).toEqual([]);
		// Delivered once more by the queue: there is nothing left to do.
		expect(await route(message)).toEqual({ acked: ["m0"], retried: [] });
	});
});
