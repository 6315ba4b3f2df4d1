/** Batches as large as they can be: bounded calls, nothing lost, and neighbours that do not wait. */
import { env } from "cloudflare:workers";
import {
	createExecutionContext,
	createMessageBatch,
	evictDurableObject,
	getQueueResult,
	runInDurableObject,
} from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { IncomingEvent } from "../../src/delivery/ledger/inbox/incoming.ts";
import { eventLog } from "../../src/objects/clients.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { newId } from "../../src/events/ids.ts";
import type { NewEntry } from "../../src/events/log/entry.ts";
import { encodeReference } from "../../src/events/queue/message.ts";
import { encodeSegment, splitBySize } from "../../src/events/queue/segment.ts";
import { routeBatch } from "../../src/routing/router.ts";
import { insertSubscription } from "../../src/store/resources/subscriptions.ts";
import { createSetting, type Setting } from "../delivery/dispatcher.fixtures.ts";
import { aSubscription } from "../store/records.ts";
import { anEvent } from "./routing.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

/** What a call between objects may carry. */
const MAX_CALL_BYTES = 32 * 1_048_576;

/** An endpoint that sends nothing, with `count` subscriptions to `type`. */
async function subscribed(type: string, count = 1): Promise<Setting> {
	const setting = await createSetting({ endpoint: { status: "paused" }, subscription: { types: [type] } });
	for (let more = 1; more < count; more++) {
		const target = { endpointId: setting.endpoint.id };
		await insertSubscription(env, aSubscription({ name: newId("sub"), types: [type], target }));
	}
	return setting;
}

/** Copies the subscription of `setting`, with names as long as they may be. */
async function multiply({ subscription }: Setting, count: number): Promise<void> {
	const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info('subscriptions')").all<{
		name: string;
	}>();
	const copied = results.map(({ name }) => name).filter((name) => name !== "id" && name !== "name");
	await env.DB.prepare(
		`INSERT INTO subscriptions (id, name, ${copied.join(", ")})
		 SELECT substr(subscriptions.id, 1, 9) || printf('%05d', value), printf('%064d', value), ${copied.join(", ")}
		 FROM subscriptions, json_each(?) WHERE subscriptions.id = ?`,
	)
		.bind(JSON.stringify(Array.from({ length: count - 1 }, (_, index) => index)), subscription.id)
		.run();
}

async function spill(sourceId: string, events: SluiceEvent[]): Promise<string> {
	const key = crypto.randomUUID();
	await eventLog(env, sourceId).spill(key, splitBySize(events, 1_500_000).map(encodeSegment));
	return encodeReference({ logId: sourceId, key });
}

interface Routing {
	/** In the order in which they were acknowledged. */
	acked: string[];
	retried: string[];
	/** What `router.batch` said. */
	log: Record<string, unknown>;
}

async function route(bodies: Record<string, string>): Promise<Routing> {
	const acked: string[] = [];
	const messages = Object.entries(bodies).map(([id, body]) => ({
		id,
		timestamp: new Date(),
		attempts: 1,
		body,
	}));
	const batch = createMessageBatch<string>("sluice-events", messages);
	for (const message of batch.messages) {
		const ack = message.ack.bind(message);
		vi.spyOn(message, "ack").mockImplementation(() => {
			acked.push(message.id);
			ack();
		});
	}
	const lines = vi.spyOn(console, "log");
	await routeBatch(batch, env);
	const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
	expect([...acked].sort()).toEqual([...explicitAcks].sort());
	const logged = lines.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
	return {
		acked,
		retried: retryMessages.map(({ msgId }) => msgId),
		log: logged.findLast(({ event }) => event === "router.batch") ?? {},
	};
}

async function countWaiting({ dispatcher }: Setting): Promise<number> {
	return runInDurableObject(dispatcher, (_, { storage }) => {
		let count = 0;
		for (const { decisions } of storage.sql.exec<{ decisions: string }>("SELECT decisions FROM inbox")) {
			count += decisions.split('"deliveryId"').length - 1;
		}
		return count;
	});
}

interface Seen {
	to: "log" | "dispatcher";
	events: (NewEntry | IncomingEvent)[];
}

/** Looks at every call to a log or dispatcher, and lets it through unless `look` throws. */
function watchCalls(look: (call: Seen) => void): void {
	watch("log", env.EVENT_LOG, look);
	watch("dispatcher", env.DISPATCHER, look);
}

function watch<T extends Rpc.DurableObjectBranded>(
	to: Seen["to"],
	namespace: DurableObjectNamespace<T>,
	look: (call: Seen) => void,
): void {
	const get = namespace.get.bind(namespace);
	vi.spyOn(namespace, "get").mockImplementation(
		(...args) =>
			new Proxy(get(...args), {
				get(target, name) {
					const member = Reflect.get(target, name) as (...args: unknown[]) => unknown;
					if (name !== "append" && name !== "enqueue") return member;
					return (events: Seen["events"], ...rest: unknown[]) => {
						look({ to, events });
						return member(events, ...rest);
					};
				},
			}),
	);
}

describe("5,000 events in one request, for 50 subscriptions", () => {
	test("are routed in bounded calls, twice the same, and a bystander goes first", async () => {
		const [type, quiet, sourceId] = [newId("src"), newId("src"), newId("src")];
		const endpoints = [await subscribed(type, 25), await subscribed(type, 25)];
		const bystander = await subscribed(quiet);
		const events = Array.from({ length: 5_000 }, () => anEvent(type, sourceId));
		const large = await spill(sourceId, events);
		const small = encodeSegment([anEvent(quiet, newId("src"))]);
		const sizes: number[] = [];
		watchCalls((call) => sizes.push(JSON.stringify(call.events).length));

		const first = await route({ large, small });
		expect(first.acked).toEqual(["small", "large"]);
		expect(first.log).toMatchObject({ messages: 2, events: 5_001, new_events: 5_001, deliveries: 250_001 });
		expect(Math.max(...sizes)).toBeLessThan(MAX_CALL_BYTES / 2);
		expect(await countWaiting(bystander)).toBe(1);
		for (const endpoint of endpoints) expect(await countWaiting(endpoint)).toBe(125_000);

		const again = await route({ large: await spill(sourceId, events), small });
		expect(again.acked).toEqual(["small", "large"]);
		expect(again.log).toMatchObject({ events: 5_001, new_events: 0, deliveries: 250_001 });
		for (const endpoint of endpoints) expect(await countWaiting(endpoint)).toBe(125_000);
	});

	test("that are retried read each stored row once, and no payload", async () => {
		const sourceId = newId("src");
		const events = Array.from({ length: 5_000 }, () => anEvent("nobody.listens", sourceId));
		const entries = events.map((one) => ({ event: one, decisions: [] }));
		const log = eventLog(env, sourceId);
		await log.append(entries, true);
		const reads: string[] = [];
		await runInDurableObject(log, (_, { storage }) => {
			const exec = storage.sql.exec.bind(storage.sql);
			vi.spyOn(Object.getPrototypeOf(storage.sql) as SqlStorage, "exec").mockImplementation((...args) => {
				if (args[0].includes("FROM segments")) reads.push(args[0]);
				return exec(...args);
			});
		});
		expect(await log.append(entries, true)).toHaveLength(5_000);
		vi.restoreAllMocks();
		expect(reads.length).toBeGreaterThan(0);
		expect(reads.length).toBeLessThan(20);
		for (const read of reads) expect(read).not.toMatch(/SELECT[^(]*\bsegment\b/);
	});
});

test("100 messages of 120 KB for 4 subscriptions: bounded calls, nothing lost, a bystander first", async () => {
	const [type, quiet, sourceId] = [newId("src"), newId("src"), newId("src")];
	const endpoints = [await subscribed(type), await subscribed(type), await subscribed(type, 2)];
	const bystander = await subscribed(quiet);
	const text = JSON.stringify("x".repeat(119_000));
	const large = Object.fromEntries(
		Array.from({ length: 99 }, (_, index) => [
			`large-${index}`,
			encodeSegment([anEvent(type, sourceId, text)]),
		]),
	);
	const sizes: number[] = [];
	watchCalls((call) => sizes.push(JSON.stringify(call.events).length));
	const { acked, retried, log } = await route({
		...large,
		small: encodeSegment([anEvent(quiet, newId("src"))]),
	});
	expect(acked[0]).toBe("small");
	expect(acked).toHaveLength(100);
	expect(retried).toEqual([]);
	expect(log).toMatchObject({ events: 100, deliveries: 99 * 4 + 1 });
	expect(Math.max(...sizes)).toBeLessThan(MAX_CALL_BYTES / 4);
	expect(await countWaiting(bystander)).toBe(1);
	expect(await Promise.all(endpoints.map(countWaiting))).toEqual([99, 99, 198]);
});

test("one event for 4,000 subscriptions of one endpoint fits into rows, is read back and known", async () => {
	const [type, sourceId] = [newId("src"), newId("src")];
	const setting = await subscribed(type);
	await multiply(setting, 4_000);
	const one = anEvent(type, sourceId, JSON.stringify("x".repeat(1_000_000)));
	const body = await spill(sourceId, [one]);
	expect((await route({ body })).acked).toEqual(["body"]);
	expect(await countWaiting(setting)).toBe(4_000);
	expect((await eventLog(env, sourceId).get(one.id))?.decisions).toHaveLength(4_000);
	const rows = await runInDurableObject(setting.dispatcher, (_, { storage }) =>
		storage.sql
			.exec<{ bytes: number }>("SELECT length(decisions) + length(segment) AS bytes FROM inbox")
			.toArray(),
	);
	for (const { bytes } of rows) expect(bytes).toBeLessThan(2_000_000);
	const again = await route({ body: await spill(sourceId, [one]) });
	expect(again.log).toMatchObject({ new_events: 0, deliveries: 4_000 });
	expect(await countWaiting(setting)).toBe(4_000);
});

describe("a call that fails", () => {
	test("is repeated message by message, and only those that fail alone are retried", async () => {
		const [type, sourceId] = [newId("src"), newId("src")];
		const setting = await subscribed(type);
		const [good, bad, alsoGood] = [anEvent(type, sourceId), anEvent(type, sourceId), anEvent(type, sourceId)];
		watchCalls(({ to, events }) => {
			if (to === "log" && events.some((entry) => entry.event.id === bad.id)) throw new Error("does not fit");
		});
		const { acked, retried, log } = await route({
			good: encodeSegment([good]),
			bad: encodeSegment([bad]),
			alsoGood: encodeSegment([alsoGood]),
		});
		expect(acked).toEqual(["good", "alsoGood"]);
		expect(retried).toEqual(["bad"]);
		expect(log).toMatchObject({ messages: 3, failed: 1, events: 2, new_events: 2, deliveries: 2 });
		expect(await countWaiting(setting)).toBe(2);
	});

	test("at a dispatcher, likewise", async () => {
		const [type, sourceId] = [newId("src"), newId("src")];
		const setting = await subscribed(type);
		const [good, bad] = [anEvent(type, sourceId), anEvent(type, sourceId)];
		watchCalls(({ to, events }) => {
			if (to === "dispatcher" && events.some((entry) => entry.event.id === bad.id)) throw new Error("no");
		});
		const { acked, retried } = await route({ bad: encodeSegment([bad]), good: encodeSegment([good]) });
		expect([acked, retried]).toEqual([["good"], ["bad"]]);
		expect(await countWaiting(setting)).toBe(1);
	});

	test("after it has taken effect, and with it its object, stores nothing twice", async () => {
		const [type, sourceId] = [newId("src"), newId("src")];
		const setting = await subscribed(type);
		const events = [anEvent(type, sourceId), anEvent(type, sourceId)];
		const get = env.DISPATCHER.get.bind(env.DISPATCHER);
		let isLost = false;
		vi.spyOn(env.DISPATCHER, "get").mockImplementation(
			(...args) =>
				new Proxy(get(...args), {
					get(target, name) {
						if (name !== "enqueue" || isLost) return Reflect.get(target, name) as unknown;
						isLost = true;
						return async (items: IncomingEvent[]) => {
							await target.enqueue(items);
							await evictDurableObject(get(...args));
							throw new Error("lost");
						};
					},
				}),
		);
		const { acked } = await route(Object.fromEntries(events.map((one) => [one.id, encodeSegment([one])])));
		expect(acked).toHaveLength(2);
		vi.restoreAllMocks();
		expect(isLost).toBe(true);
		expect(await countWaiting(setting)).toBe(2);
	});

	test("for every message costs three more tries, not one for each of a hundred", async () => {
		const sourceId = newId("src");
		let calls = 0;
		watchCalls(() => {
			calls += 1;
			throw new Error("down");
		});
		const bodies = Object.fromEntries(
			Array.from({ length: 100 }, (_, index) => [`m${index}`, encodeSegment([anEvent("t", sourceId)])]),
		);
		const { acked, retried, log } = await route(bodies);
		expect(acked).toEqual([]);
		expect(retried).toHaveLength(100);
		expect(calls).toBe(4);
		expect(log).toMatchObject({ failed: 100, events: 0, new_events: 0, deliveries: 0, event_ids: [] });
	});
});

test("no more than six calls are under way at once", async () => {
	let [underWay, most] = [0, 0];
	const get = env.EVENT_LOG.get.bind(env.EVENT_LOG);
	vi.spyOn(env.EVENT_LOG, "get").mockImplementation((...args) => {
		const stub = get(...args);
		return new Proxy(stub, {
			get(target, name) {
				if (name !== "append") return Reflect.get(target, name) as unknown;
				return async (entries: NewEntry[]) => {
					most = Math.max(most, ++underWay);
					await new Promise((resolve) => setTimeout(resolve, 5));
					underWay -= 1;
					return entries.map(() => null);
				};
			},
		});
	});
	const bodies = Object.fromEntries(
		Array.from({ length: 40 }, (_, index) => [`m${index}`, encodeSegment([anEvent("t", newId("src"))])]),
	);
	expect((await route(bodies)).acked).toHaveLength(40);
	expect(most).toBe(6);
});

/** Routes until nothing comes to the queue any more; returns how many messages each batch had. */
async function routeAll(bodies: string[]): Promise<number[]> {
	const sent: string[] = [];
	vi.spyOn(env.EVENTS, "send").mockImplementation((body) => {
		sent.push(body);
		return Promise.resolve() as unknown as ReturnType<typeof env.EVENTS.send>;
	});
	const sizes: number[] = [];
	for (let left = bodies; left.length > 0; left = sent.splice(0)) {
		sizes.push(left.length);
		const { retried } = await route(Object.fromEntries(left.map((body, index) => [`m${index}`, body])));
		expect(retried).toEqual([]);
		expect(sizes.length).toBeLessThan(20);
	}
	return sizes;
}

describe("expressions just below their limit", () => {
	/** Some 6,600,000 units: two thirds of what one evaluation may take. */
	const SLOW = "$sum([1..20000].($ * 2 + 1)) > 0";

	async function slow(): Promise<{ setting: Setting; type: string }> {
		const type = newId("src");
		const filters = [{ jsonata: SLOW }];
		const setting = await createSetting({
			endpoint: { status: "paused" },
			subscription: { types: [type], filters },
		});
		return { setting, type };
	}

	test("take their share of a batch; what is left of the source's events queues up once more, and none is lost", async () => {
		const { setting, type } = await slow();
		const sourceId = newId("src");
		const events = Array.from({ length: 30 }, () => anEvent(type, sourceId));
		const sizes = await routeAll([encodeSegment(events.slice(0, 25)), encodeSegment(events.slice(25))]);
		expect(sizes[1]).toBe(2);
		expect(sizes.length).toBeGreaterThan(2);
		const page = await setting.dispatcher.list({ limit: 200 });
		expect(page.items.map(({ eventId }) => eventId).sort()).toEqual(events.map(({ id }) => id).sort());
	});

	test("keep no other source back that is in the same batch", async () => {
		const { type } = await slow();
		const other = newId("src");
		const bystander = await subscribed(other);
		const hog = newId("src");
		const events = Array.from({ length: 30 }, () => anEvent(type, hog));
		const again = vi.spyOn(env.EVENTS, "send").mockResolvedValue(undefined as never);
		const neighbour = anEvent(other, newId("src"));
		await route({ hog: encodeSegment(events), neighbour: encodeSegment([neighbour]) });
		expect(again).toHaveBeenCalledTimes(1);
		expect((await bystander.dispatcher.list({ limit: 5 })).items.map(({ eventId }) => eventId)).toEqual([
			neighbour.id,
		]);
	});

	test("lose nothing of events that were too large for a message", async () => {
		const { setting, type } = await slow();
		const sourceId = newId("src");
		const events = Array.from({ length: 24 }, () => anEvent(type, sourceId, `"${"x".repeat(20_000)}"`));
		const bodies = [await spill(sourceId, events.slice(0, 12)), await spill(sourceId, events.slice(12))];
		await routeAll(bodies);
		const page = await setting.dispatcher.list({ limit: 200 });
		expect(page.items.map(({ eventId }) => eventId).sort()).toEqual(events.map(({ id }) => id).sort());
		const waiting = await runInDurableObject(eventLog(env, sourceId), (_log, { storage }) =>
			storage.sql.exec("SELECT count(*) AS parts FROM spilled").one(),
		);
		expect(waiting).toEqual({ parts: 0 });
	});

	test("are retried as a whole if the queue does not accept the rest", async () => {
		const { type } = await slow();
		const sourceId = newId("src");
		vi.spyOn(env.EVENTS, "send").mockRejectedValue(new Error("the queue is full"));
		const events = Array.from({ length: 30 }, () => anEvent(type, sourceId));
		expect(await route({ hog: encodeSegment(events) })).toMatchObject({ acked: [], retried: ["hog"] });
	});
});
