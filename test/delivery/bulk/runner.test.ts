/** A bulk job in one dispatcher: what it touches, and that it comes to its end whatever happens in between. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { BulkAnswer, BulkOrder } from "../../../src/delivery/bulk/order.ts";
import type { IncomingEvent } from "../../../src/delivery/ledger/inbox/incoming.ts";
import type { DeliveryStatus } from "../../../src/delivery/records.ts";
import { newId } from "../../../src/events/ids.ts";
import { eventLog } from "../../../src/objects/clients.ts";
import { DEFAULT_COMPLETION } from "../../../src/store/resources/endpoint-columns.ts";
import {
	createSetting,
	incoming,
	model,
	runAlarm,
	setFull,
	type Setting,
	whenStatus,
} from "../dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

function order(action: BulkOrder["action"], more: Partial<BulkOrder> = {}): BulkOrder {
	return { id: newId("bulk"), action, dryRun: false, filters: {}, ...more };
}

/** Begins it, and lets the alarm go on until it is over. */
async function run(setting: Setting, given: BulkOrder): Promise<BulkAnswer> {
	let part = await setting.dispatcher.bulk(given);
	for (let alarms = 0; part.status === "running" && alarms < 200; alarms++) {
		await runAlarm(setting);
		part = await setting.dispatcher.bulk(given);
	}
	return part;
}

async function count({ dispatcher }: Setting, status: DeliveryStatus): Promise<number> {
	let [found, before]: [number, number | null] = [0, Number.MAX_SAFE_INTEGER];
	while (before !== null) {
		const { items, rest }: Awaited<ReturnType<typeof dispatcher.list>> = await dispatcher.list({
			status,
			before,
			limit: 200,
		});
		found += items.length;
		before = rest ?? (items.length === 200 ? (items.at(-1)?.position ?? null) : null);
	}
	return found;
}

async function stopped(
	deliveries: number,
	atOnce = 100,
): Promise<{ setting: Setting; items: IncomingEvent[] }> {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	const items = Array.from({ length: deliveries }, () => incoming(setting));
	for (let at = 0; at < items.length; at += atOnce) {
		await setting.dispatcher.enqueue(items.slice(at, at + atOnce));
	}
	return { setting, items };
}

/** Deliveries that the model has refused for good. */
async function refused(deliveries: number): Promise<{ setting: Setting; ids: string[] }> {
	const setting = await createSetting();
	model(() => new Response(null, { status: 422 }));
	const items = Array.from({ length: deliveries }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	for (const { id } of items) await whenStatus(setting, id, "dead");
	vi.restoreAllMocks();
	return { setting, ids: items.map(({ id }) => id) };
}

const finished: BulkAnswer = { status: "done", matched: 1, done: 1, skipped: 0, failed: 0 };

/** Finished jobs that an earlier build has kept among the others. */
async function keepFinished({ dispatcher }: Setting, jobs: number): Promise<BulkOrder[]> {
	const orders = Array.from({ length: jobs }, () => order("cancel"));
	const kept = orders.map((one) => ({ order: one, part: finished, stage: "tried", after: 0, end: 0 }));
	await runInDurableObject(dispatcher, (_, { storage }) => storage.kv.put("bulk", kept));
	await evictDurableObject(dispatcher);
	return orders;
}

describe("canceling", () => {
	test("ends untried deliveries in slices, and leaves no inbox row behind", async () => {
		const { setting } = await stopped(450);
		const first = await setting.dispatcher.bulk(order("cancel", { id: "bulk_a" }));
		expect(first).toEqual({ status: "running", matched: 200, done: 200, skipped: 0, failed: 0 });
		const part = await run(setting, order("cancel", { id: "bulk_a" }));
		expect(part).toEqual({ status: "done", matched: 450, done: 450, skipped: 0, failed: 0 });
		expect(await count(setting, "canceled")).toBe(450);
		expect(await setting.dispatcher.health()).toMatchObject({ backlog: 0, oldestPendingAt: null });
	});

	test("continues after an eviction, and changes nothing twice", async () => {
		const { setting } = await stopped(450);
		const given = order("cancel");
		await setting.dispatcher.bulk(given);
		await evictDurableObject(setting.dispatcher);
		expect(await run(setting, given)).toMatchObject({ status: "done", matched: 450, done: 450 });
		expect(await count(setting, "canceled")).toBe(450);
	});

	test("that is given again when it is over changes nothing", async () => {
		const { setting } = await stopped(3);
		const given = order("cancel");
		const part = await run(setting, given);
		await setting.dispatcher.enqueue([incoming(setting)]);
		expect(await run(setting, given)).toEqual(part);
		expect(await count(setting, "pending")).toBe(1);
	});

	test("is not begun anew when many others have ended since", async () => {
		const { setting } = await stopped(3);
		const given = order("cancel");
		const part = await run(setting, given);
		for (let others = 0; others < 60; others++) await run(setting, order("cancel", { dryRun: true }));
		await setting.dispatcher.enqueue([incoming(setting)]);
		await evictDurableObject(setting.dispatcher);
		expect(await setting.dispatcher.bulk(given, true)).toEqual(part);
		// The response to its beginning may have been lost.
		expect(await setting.dispatcher.bulk(given, false)).toEqual(part);
		expect(await setting.dispatcher.stopBulk(given.id)).toEqual(part);
		expect(await count(setting, "pending")).toBe(1);
	});

	test("is not held up by finished jobs that an earlier build has kept among the others", async () => {
		const { setting } = await stopped(3);
		const kept = await keepFinished(setting, 50);
		expect(await setting.dispatcher.bulk(kept[0] ?? order("cancel"))).toEqual(finished);
		expect(await run(setting, order("cancel"))).toMatchObject({ status: "done", done: 3 });
	});

	test("that an earlier build has finished is still known after an eviction in the middle of another", async () => {
		const { setting } = await stopped(250);
		const [kept] = await keepFinished(setting, 1);
		expect(await setting.dispatcher.bulk(order("cancel"))).toMatchObject({ status: "running" });
		await evictDurableObject(setting.dispatcher);
		expect(await setting.dispatcher.stopBulk(kept?.id ?? "")).toEqual(finished);
	});

	test("is never begun anew once it is too old to be known", async () => {
		const { setting } = await stopped(3);
		expect(await setting.dispatcher.bulk(order("cancel"), true)).toEqual({ status: "forgotten" });
		expect(await count(setting, "pending")).toBe(3);
	});

	test("waits its turn where fifty others are not done", async () => {
		const { setting } = await stopped(250);
		await runInDurableObject(setting.dispatcher, async (instance) => {
			const jobs = Array.from({ length: 50 }, () => order("cancel", { filters: { subject: "none" } }));
			const begun = jobs.map((job) => instance.bulk(job));
			expect(await instance.bulk(order("cancel"))).toEqual({ status: "busy" });
			await Promise.all(begun);
		});
		expect(await run(setting, order("cancel"))).toMatchObject({ status: "done", done: 250 });
	});

	test("leaves alone what comes after it was asked for", async () => {
		const { setting } = await stopped(250);
		const given = order("cancel");
		await setting.dispatcher.bulk(given);
		await setting.dispatcher.enqueue([incoming(setting)]);
		expect(await run(setting, given)).toMatchObject({ matched: 250, done: 250 });
		expect(await count(setting, "pending")).toBe(1);
	});

	test("selects what its filters name, and only owed deliveries", async () => {
		const { setting } = await refused(2);
		const item = incoming(setting, { subscriptionId: "sub_other" });
		model(() => new Response(null, { status: 500 }));
		await setting.dispatcher.enqueue([item, incoming(setting)]);
		await vi.waitFor(async () => expect(await count(setting, "pending")).toBe(2));
		const filters = { subscriptionId: "sub_other" };
		expect(await run(setting, order("cancel", { filters }))).toMatchObject({ matched: 1, done: 1 });
		expect(await setting.dispatcher.get(item.id)).toMatchObject({ status: "canceled" });
		expect(await count(setting, "dead")).toBe(2);
	});

	test("by subject and by event, among untried deliveries", async () => {
		const { setting, items } = await stopped(3);
		const about = incoming(setting);
		about.event.attributes.subject = "scans/1";
		await setting.dispatcher.enqueue([about]);
		expect(await run(setting, order("cancel", { filters: { subject: "scans/1" } }))).toMatchObject({
			done: 1,
		});
		const eventId = items[0]?.event.id ?? "";
		expect(await run(setting, order("cancel", { filters: { eventId } }))).toMatchObject({ done: 1 });
		expect(await count(setting, "pending")).toBe(2);
	});

	test("a dry run counts, and changes nothing", async () => {
		const { setting } = await stopped(450);
		const part = await run(setting, order("cancel", { dryRun: true }));
		expect(part).toEqual({ status: "done", matched: 450, done: 0, skipped: 0, failed: 0 });
		expect(await count(setting, "pending")).toBe(450);
	});

	test("that is stopped leaves the rest", async () => {
		const { setting } = await stopped(450);
		const given = order("cancel");
		const part = await runInDurableObject(setting.dispatcher, async (instance) => {
			await instance.bulk(given);
			return instance.stopBulk(given.id);
		});
		expect(part).toMatchObject({ status: "canceled", done: 200 });
		await runAlarm(setting);
		expect(await count(setting, "pending")).toBe(250);
		expect(await setting.dispatcher.stopBulk("bulk_nobody")).toBeNull();
	});

	test("notifies the servers of the jobs, a few at a time", async () => {
		const setting = await createSetting({
			endpoint: {
				protocol: "replicate",
				url: "https://api.replicate.com/v1/predictions",
				model: "a/b",
				completion: { ...DEFAULT_COMPLETION, mode: "poll" },
				maxConcurrency: 10,
			},
		});
		let [jobs, told, atOnce, most] = [0, 0, 0, 0];
		model(async ({ url }) => {
			if (!url.endsWith("/cancel")) {
				jobs += 1;
				return Response.json({ id: `job${jobs}`, status: "starting" }, { status: 201 });
			}
			most = Math.max(most, ++atOnce);
			await new Promise((resolve) => setTimeout(resolve, 5));
			atOnce -= 1;
			told += 1;
			return Response.json({ status: "canceled" });
		});
		const items = Array.from({ length: 10 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		for (const { id } of items) await whenStatus(setting, id, "waiting");
		const given = order("cancel");
		await setting.dispatcher.bulk(given);
		await vi.waitFor(async () => {
			await runAlarm(setting);
			expect(await setting.dispatcher.bulk(given)).toMatchObject({ status: "done", done: 10 });
			expect(told).toBe(10);
		});
		expect(most).toBeLessThanOrEqual(3);
		expect(await count(setting, "canceled")).toBe(10);
	});
});

describe("retrying", () => {
	test("sends the dead ones again, and not those that have succeeded", async () => {
		const { setting, ids } = await refused(3);
		const calls = model(() => Response.json({}));
		const other = incoming(setting);
		await setting.dispatcher.enqueue([other]);
		await whenStatus(setting, other.id, "succeeded");
		expect(await run(setting, order("retry"))).toMatchObject({ status: "done", matched: 3, done: 3 });
		for (const id of ids) await whenStatus(setting, id, "succeeded");
		expect(calls).toHaveLength(4);
		// It was asked for once: it is not begun anew by those that it has itself revived.
		expect(await run(setting, order("retry"))).toMatchObject({ matched: 0 });
	});

	test("by status code, of the last attempt", async () => {
		const { setting, ids } = await refused(2);
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			storage.sql.exec(
				"UPDATE deliveries SET attempts = replace(attempts, '422', '413') WHERE id = ?",
				ids[0] ?? "",
			);
		});
		model(() => Response.json({}));
		expect(await run(setting, order("retry", { filters: { statusCode: 413 } }))).toMatchObject({ done: 1 });
		await whenStatus(setting, ids[0] ?? "", "succeeded");
		expect(await setting.dispatcher.get(ids[1] ?? "")).toMatchObject({ status: "dead" });
	});

	test("brings forward what waits for its next attempt", async () => {
		const setting = await createSetting();
		model(() => new Response(null, { status: 500 }));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await vi.waitFor(async () =>
			expect(await setting.dispatcher.get(item.id)).toMatchObject({ status: "pending", attempts: [{}] }),
		);
		vi.restoreAllMocks();
		model(() => Response.json({}));
		expect(await run(setting, order("retry", { filters: { status: "pending" } }))).toMatchObject({ done: 1 });
		await whenStatus(setting, item.id, "succeeded");
	});

	test("skips deliveries in flight", async () => {
		const { setting, ids } = await refused(1);
		let isAnswered = false;
		model(async () => {
			await vi.waitFor(() => expect(isAnswered).toBe(true));
			return Response.json({});
		});
		await setting.dispatcher.retry(ids[0] ?? "");
		await whenStatus(setting, ids[0] ?? "", "in_flight");
		expect(await run(setting, order("retry"))).toMatchObject({ matched: 1, done: 0, skipped: 1 });
		isAnswered = true;
		await whenStatus(setting, ids[0] ?? "", "succeeded");
	});
});

test("readmits deliveries that were refused for lack of room, if their events are still kept", async () => {
	const setting = await createSetting();
	const items = Array.from({ length: 30 }, () => incoming(setting));
	const [forgotten, ...known] = items;
	await eventLog(env, "src_docs").append(known.map(({ event, decisions }) => ({ event, decisions })));
	await setFull(setting, true);
	await setting.dispatcher.enqueue(items);
	expect(await run(setting, order("retry"))).toMatchObject({ status: "done", matched: 30, failed: 30 });
	await setFull(setting, false);
	model(() => Response.json({}));
	expect(await run(setting, order("retry", { filters: { reason: "exhausted" } }))).toMatchObject({
		matched: 0,
	});
	const dryRun = await run(setting, order("retry", { dryRun: true, filters: { reason: "backlog_full" } }));
	expect(dryRun).toMatchObject({ matched: 30, done: 0 });
	expect(await run(setting, order("retry"))).toMatchObject({ matched: 30, done: 29, failed: 1 });
	for (const { id } of known) await whenStatus(setting, id, "succeeded");
	expect(await setting.dispatcher.get(forgotten?.id ?? "")).toMatchObject({ reason: "backlog_full" });
});

test("an event log that cannot be reached now and then fails some of them, and none is counted twice", async () => {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	const items = Array.from({ length: 9 }, () => incoming(setting));
	await eventLog(env, "src_docs").append(items.map(({ event, decisions }) => ({ event, decisions })));
	await setFull(setting, true);
	await setting.dispatcher.enqueue(items);
	await setFull(setting, false);
	const restore = await runInDurableObject(setting.dispatcher, (instance) => {
		const { EVENT_LOG } = (instance as unknown as { env: typeof env }).env;
		let calls = 0;
		const get = EVENT_LOG.get.bind(EVENT_LOG);
		const spy = vi.spyOn(EVENT_LOG, "get").mockImplementation((id) => {
			if (++calls === 3) throw new Error("the object is overloaded");
			return get(id);
		});
		return () => spy.mockRestore();
	});
	expect(await run(setting, order("retry"))).toEqual({
		status: "done",
		matched: 9,
		done: 8,
		skipped: 0,
		failed: 1,
	});
	restore();
	expect(await count(setting, "pending")).toBe(8);
	expect(await run(setting, order("retry", { filters: { status: "dead" } }))).toMatchObject({
		matched: 1,
		done: 1,
	});
});

test("an endpoint to which nothing has ever come has nothing to do", async () => {
	const setting = await createSetting();
	expect(await setting.dispatcher.bulk(order("retry"))).toMatchObject({ status: "done", matched: 0 });
});
