/** An endpoint that has no room: its messages do not go round, and nobody else notices. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { eventLog } from "../../src/objects/clients.ts";
import type { Decision, SluiceEvent } from "../../src/events/event.ts";
import { newId } from "../../src/events/ids.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";
import {
	createSetting,
	incoming,
	model,
	setFull,
	type Setting,
	whenStatus,
} from "../delivery/dispatcher.fixtures.ts";
import { anEvent, route } from "./routing.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

/** A number that JavaScript cannot hold. */
const event = (type: string, sourceId: string) => anEvent(type, sourceId, '{"big": 9007199254740993}');

interface Routing {
	acked: string[];
	retried: string[];
	lines: Record<string, unknown>[];
}

/** Routes a batch, and returns the lines that were logged meanwhile. */
async function routeLogged(...bodies: string[]): Promise<Routing> {
	const log = vi.spyOn(console, "log");
	const routed = await route(...bodies);
	const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
	log.mockRestore();
	return { ...routed, lines };
}

async function subscribed(type: string, status: "active" | "paused" = "paused"): Promise<Setting> {
	return createSetting({ endpoint: { status }, subscription: { types: [type] } });
}

/** What became of deliveries, newest first: their events and reasons. */
async function listed({ dispatcher }: Setting): Promise<[string, string | null][]> {
	const { items } = await dispatcher.list({ limit: 200 });
	return items.map(({ eventId, status, reason }) => [eventId, reason ?? status]);
}

async function decisionsOf({ id, sourceId }: SluiceEvent): Promise<Decision[]> {
	return (await eventLog(env, sourceId).get(id))?.decisions ?? [];
}

function only<T>(items: readonly T[]): T {
	const [item, another] = items;
	if (item === undefined || another !== undefined) throw new Error(`there are ${items.length}, not one`);
	return item;
}

describe("a message for an endpoint that has no room", () => {
	test("is acknowledged once, its neighbours get theirs, and the delivery is a dead letter", async () => {
		const [type, otherType] = [newId("src"), newId("src")];
		const [sourceId, otherSource] = [newId("src"), newId("src")];
		const [full, neighbour, other] = [
			await subscribed(type),
			await subscribed(type),
			await subscribed(otherType),
		];
		await setFull(full, true);
		const events = Array.from({ length: 5 }, () => event(type, sourceId));
		const elsewhere = event(type, otherSource);
		const different = event(otherType, sourceId);
		const logs = vi.spyOn(env.EVENT_LOG, "get");
		const { acked, retried, lines } = await routeLogged(
			encodeSegment([...events, different]),
			encodeSegment([elsewhere]),
		);
		expect({ acked, retried }).toEqual({ acked: ["m0", "m1"], retried: [] });
		// For each source one call to keep the events, and one to keep what became of them.
		expect(logs).toHaveBeenCalledTimes(4);
		const all = [...events, elsewhere].map(({ id }) => id).sort();
		expect(await listed(neighbour)).toHaveLength(6);
		expect(await listed(other)).toEqual([[different.id, "pending"]]);
		const dead = await listed(full);
		expect(dead.map(([id]) => id).sort()).toEqual(all);
		expect(new Set(dead.map(([, reason]) => reason))).toEqual(new Set(["backlog_full"]));
		for (const one of [...events, elsewhere]) {
			const refused = Object.fromEntries(
				(await decisionsOf(one)).map(({ endpointId, refused }) => [endpointId, refused]),
			);
			expect(refused).toEqual({ [full.endpoint.id]: "backlog_full", [neighbour.endpoint.id]: undefined });
		}
		expect(await decisionsOf(different)).toMatchObject([{ endpointId: other.endpoint.id }]);
		// One line for all of them, and the batch claims no more than was handed over.
		expect(lines.filter(({ event }) => event === "dispatcher.full")).toMatchObject([
			{ endpoint_id: full.endpoint.id, refused: 6 },
		]);
		expect(lines.find(({ event }) => event === "router.batch")).toMatchObject({ events: 7, deliveries: 7 });
	});

	test("delivered once more is not offered again, though there is room by then", async () => {
		const type = newId("src");
		const full = await subscribed(type);
		const message = encodeSegment([event(type, newId("src"))]);
		await setFull(full, true);
		await routeLogged(message);
		await setFull(full, false);
		const dispatchers = vi.spyOn(env.DISPATCHER, "get");
		expect(await routeLogged(message)).toMatchObject({ acked: ["m0"], retried: [] });
		expect(dispatchers).not.toHaveBeenCalled();
		vi.restoreAllMocks();
		expect(only(await listed(full))[1]).toBe("backlog_full");
	});

	test("comes again when the event log cannot keep that, and then says the same", async () => {
		const type = newId("src");
		const full = await subscribed(type);
		const one = event(type, newId("src"));
		await setFull(full, true);
		const get = env.EVENT_LOG.get.bind(env.EVENT_LOG);
		vi.spyOn(env.EVENT_LOG, "get").mockImplementation((id, options) => {
			const stub = get(id, options);
			return new Proxy(stub, {
				get: (target, name) =>
					name === "noteRefused"
						? () => Promise.reject(new Error("overloaded"))
						: (Reflect.get(target, name) as unknown),
			});
		});
		expect(await routeLogged(encodeSegment([one]))).toMatchObject({ acked: [], retried: ["m0"] });
		vi.restoreAllMocks();
		await evictDurableObject(full.dispatcher);
		// Room again, and all the same it is the one thing: refused, until somebody asks for it.
		expect(await routeLogged(encodeSegment([one]))).toMatchObject({ acked: ["m0"], retried: [] });
		expect(await listed(full)).toEqual([[one.id, "backlog_full"]]);
		expect(await decisionsOf(one)).toMatchObject([{ refused: "backlog_full" }]);
	});

	test("that was lost in the middle of the call is taken or refused as a whole the next time", async () => {
		const type = newId("src");
		const full = await subscribed(type);
		const one = event(type, newId("src"));
		await setFull(full, true);
		const get = env.DISPATCHER.get.bind(env.DISPATCHER);
		vi.spyOn(env.DISPATCHER, "get").mockImplementation((id, options) => {
			const stub = get(id, options);
			return new Proxy(stub, {
				get: (target, name) =>
					name === "enqueue"
						? async (items: Parameters<typeof stub.enqueue>[0]) => {
								await target.enqueue(items);
								throw new Error("the object was reset");
							}
						: (Reflect.get(target, name) as unknown),
			});
		});
		expect(await routeLogged(encodeSegment([one]))).toMatchObject({ acked: [], retried: ["m0"] });
		vi.restoreAllMocks();
		expect(await routeLogged(encodeSegment([one]))).toMatchObject({ acked: ["m0"], retried: [] });
		expect(new Set((await listed(full)).map(([, reason]) => reason))).toEqual(new Set(["backlog_full"]));
		expect(await decisionsOf(one)).toMatchObject([{ refused: "backlog_full" }]);
	});

	test("of which a dispatcher of release 0.1 says nothing has been taken", async () => {
		const type = newId("src");
		const setting = await subscribed(type);
		const get = env.DISPATCHER.get.bind(env.DISPATCHER);
		vi.spyOn(env.DISPATCHER, "get").mockImplementation((id, options) => {
			const stub = get(id, options);
			return new Proxy(stub, {
				get: (target, name) =>
					name === "enqueue"
						? (items: Parameters<typeof stub.enqueue>[0]) => target.enqueue(items).then(() => undefined)
						: (Reflect.get(target, name) as unknown),
			});
		});
		expect(await routeLogged(encodeSegment([event(type, newId("src"))]))).toMatchObject({ acked: ["m0"] });
		vi.restoreAllMocks();
		expect(only(await listed(setting))[1]).toBe("pending");
	});
});

describe("a retry of what was refused", () => {
	test("removes both entries that a lost response left", async () => {
		const setting = await subscribed(newId("src"));
		const item = incoming(setting);
		await eventLog(env, item.event.sourceId).append([item]);
		await setFull(setting, true);
		for (let call = 0; call < 2; call++) {
			expect(await setting.dispatcher.enqueue([item, incoming(setting)])).toMatchObject({
				full: expect.arrayContaining([item.id]) as string[],
			});
		}
		await setFull(setting, false);
		expect(await setting.dispatcher.retry(item.id)).toMatchObject({ ok: true });
		await runInDurableObject(setting.dispatcher, (_, { storage: { sql } }) => {
			const rows = sql.exec<{ decisions: string }>("SELECT decisions FROM refused").toArray();
			expect(rows).toHaveLength(2);
			for (const { decisions } of rows) expect(decisions).not.toContain(item.id);
		});
	});

	test("reads the event from its log and sends it as it came, once, when there is room", async () => {
		const type = newId("src");
		const full = await subscribed(type, "active");
		const calls = model(() => Response.json({}));
		const one = event(type, newId("src"));
		await setFull(full, true);
		await routeLogged(encodeSegment([one]));
		const { id } = only((await full.dispatcher.list({ limit: 5 })).items);
		expect(await full.dispatcher.retry(id)).toEqual({ ok: false, code: "backlog_full" });
		expect(await full.dispatcher.cancel(id)).toEqual({ ok: false, code: "already_finished" });
		await setFull(full, false);
		const [first, second] = await Promise.all([full.dispatcher.retry(id), full.dispatcher.retry(id)]);
		expect([first.ok, second.ok]).toContain(true);
		await whenStatus(full, id, "succeeded");
		expect(only(calls).body).toContain('{"big": 9007199254740993}');
		// The log does not call it dead any more, and the message would find it done.
		await vi.waitFor(async () => expect(only(await decisionsOf(one)).refused).toBeUndefined());
		expect(await routeLogged(encodeSegment([one]))).toMatchObject({ acked: ["m0"] });
		expect(await listed(full)).toEqual([[one.id, "succeeded"]]);
		expect(await full.dispatcher.retry(id)).toEqual({ ok: false, code: "already_succeeded" });
		expect(calls).toHaveLength(1);
	});

	test("says so when the event has been forgotten, and the others of its batch can be sent", async () => {
		const type = newId("src");
		const full = await subscribed(type, "active");
		model(() => Response.json({}));
		const [lost, kept] = [event(type, newId("src")), event(type, newId("src"))];
		await setFull(full, true);
		await routeLogged(encodeSegment([kept]), encodeSegment([lost]));
		await setFull(full, false);
		const ids = new Map(
			(await full.dispatcher.list({ limit: 5 })).items.map((item) => [item.eventId, item.id]),
		);
		const log = eventLog(env, lost.sourceId);
		await runInDurableObject(log, (_, { storage }) => storage.sql.exec("DELETE FROM segments"));
		await evictDurableObject(log);
		expect(await full.dispatcher.retry(ids.get(lost.id) ?? "")).toEqual({
			ok: false,
			code: "event_forgotten",
		});
		expect(await full.dispatcher.retry(ids.get(kept.id) ?? "")).toMatchObject({ ok: true });
		await whenStatus(full, ids.get(kept.id) ?? "", "succeeded");
		expect(await full.dispatcher.get(ids.get(lost.id) ?? "")).toMatchObject({ reason: "backlog_full" });
	});

	test("outlasts an eviction right behind it", async () => {
		const type = newId("src");
		const full = await subscribed(type);
		await setFull(full, true);
		await routeLogged(encodeSegment([event(type, newId("src"))]));
		const { id } = only((await full.dispatcher.list({ limit: 5 })).items);
		await setFull(full, false);
		expect(await full.dispatcher.retry(id)).toMatchObject({ ok: true, delivery: { status: "pending" } });
		await evictDurableObject(full.dispatcher);
		expect(await full.dispatcher.get(id)).toMatchObject({ status: "pending", reason: null });
		expect((await full.dispatcher.list({ limit: 5 })).items).toHaveLength(1);
	});
});
