/** What an event and a delivery cost in rows written: Cloudflare bills them, so they are budgets and not details. */
import { env } from "cloudflare:workers";
import { createMessageBatch, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { eventLog } from "../../src/objects/clients.ts";
import { eventId, newId } from "../../src/events/ids.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";
import { routeBatch } from "../../src/routing/router.ts";
import { createSetting, incoming, model, setFull, whenStatus } from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

interface Meter {
	rows: number;
	alarms: number;
}

/** Counts what a Durable Object writes from here on; an alarm that is set counts as one row. */
async function meter<T extends Rpc.DurableObjectBranded>(stub: DurableObjectStub<T>): Promise<Meter> {
	const counted = { rows: 0, alarms: 0 };
	await runInDurableObject(stub, (_, { storage }) => {
		const { sql } = storage;
		const exec = sql.exec.bind(sql);
		vi.spyOn(Object.getPrototypeOf(sql) as SqlStorage, "exec").mockImplementation((...args) => {
			const cursor = exec(...args);
			counted.rows += cursor.rowsWritten;
			return cursor;
		});
		const setAlarm = storage.setAlarm.bind(storage);
		vi.spyOn(Object.getPrototypeOf(storage) as DurableObjectStorage, "setAlarm").mockImplementation(
			(...args) => {
				counted.alarms += 1;
				return setAlarm(...args);
			},
		);
	});
	return counted;
}

const BATCH = 10;

test(`a delivery that succeeds at once, in batches of ${BATCH}, writes at most three rows`, async () => {
	const setting = await createSetting();
	model(() => Response.json({}));
	const written = await meter(setting.dispatcher);
	const items = Array.from({ length: BATCH }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	for (const { id } of items) await whenStatus(setting, id, "succeeded");
	expect(written.rows).toBeGreaterThanOrEqual(BATCH);
	expect((written.rows + written.alarms) / BATCH).toBeLessThanOrEqual(3);
});

test("deliveries that there is no room for write one row together", async () => {
	const setting = await createSetting();
	await setting.dispatcher.enqueue([]);
	await setFull(setting, true);
	const written = await meter(setting.dispatcher);
	const items = Array.from({ length: BATCH }, () => incoming(setting));
	expect((await setting.dispatcher.enqueue(items))?.full).toHaveLength(BATCH);
	expect([written.rows, written.alarms]).toEqual([1, 0]);
});

test(`an event, in batches of ${BATCH}, writes a fifth of a row in the event log and none in D1`, async () => {
	const sourceId = newId("src");
	const written = await meter(eventLog(env, sourceId));
	const statements = vi.spyOn(env.DB, "prepare");
	await routeBatch(batchOf(sourceId, "nobody.listens"), env);
	expect(written.rows).toBeGreaterThan(0);
	expect(written.rows / BATCH).toBeLessThanOrEqual(0.2);
	for (const [sql] of statements.mock.calls) expect(sql).toMatch(/^\s*(?:SELECT|CREATE TABLE IF NOT EXISTS)/);
});

test(`a delivery, in batches of ${BATCH}, takes a fifth of a Durable Object call`, async () => {
	const type = newId("src");
	await createSetting({ endpoint: { status: "paused" }, subscription: { types: [type] } });
	const logs = vi.spyOn(env.EVENT_LOG, "get");
	const dispatchers = vi.spyOn(env.DISPATCHER, "get");
	await routeBatch(batchOf(newId("src"), type), env);
	const calls = logs.mock.calls.length + dispatchers.mock.calls.length;
	expect(dispatchers).toHaveBeenCalled();
	expect(calls / BATCH).toBeLessThanOrEqual(0.2);
});

/** Each event in a message of its own, as single requests bring them. */
function batchOf(sourceId: string, type: string): MessageBatch {
	const messages = Array.from({ length: BATCH }, (_, index) => {
		const attributes = { id: String(index), source: "/s", type };
		const event = { id: eventId(sourceId, attributes), sourceId, receivedAt: 0, attributes, data: null };
		return { id: String(index), timestamp: new Date(), attempts: 1, body: encodeSegment([event]) };
	});
	return createMessageBatch("sluice-events", messages);
}
