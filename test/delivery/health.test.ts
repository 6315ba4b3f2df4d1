import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { timeOfPosition } from "../../src/events/position.ts";
import {
	createSetting,
	incoming,
	model,
	type Setting,
	until,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

async function enqueue(setting: Setting, count: number): Promise<string[]> {
	const items = Array.from({ length: count }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	return items.map(({ id }) => id);
}

describe("the health of an endpoint", () => {
	test("asked of an object that was never used leaves nothing behind", async () => {
		const setting = await createSetting();
		expect(await setting.dispatcher.health()).toMatchObject({
			blockedBy: null,
			inFlight: 0,
			limit: null,
			waiting: 0,
			backlog: 0,
			oldestPendingAt: null,
			recent: { p50: null, samples: 0, windowSeconds: 0 },
		});
		const left = await runInDurableObject(setting.dispatcher, async (_, { storage }) => ({
			rows: storage.sql
				.exec("SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM deliveries) AS n")
				.one(),
			keys: [...storage.kv.list()].map(([key]) => key),
			alarm: await storage.getAlarm(),
		}));
		// The version of its tables, which every object writes when it first wakes.
		expect(left).toEqual({ rows: { n: 0 }, keys: ["schema_version"], alarm: null });
	});

	test("counts what is under way and what waits behind it", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 2 } });
		const isOpen = { value: false };
		const calls = model(async () => {
			await until(() => isOpen.value);
			return Response.json({});
		});
		const before = Date.now();
		const ids = await enqueue(setting, 7);
		await until(() => calls.length === 2);
		const health = await setting.dispatcher.health();
		expect(health).toMatchObject({ blockedBy: "capacity", inFlight: 2, backlog: 7 });
		expect(health.oldestPendingAt).toBeGreaterThanOrEqual(before);
		isOpen.value = true;
		for (const id of ids) await whenStatus(setting, id, "succeeded");
		expect(await setting.dispatcher.health()).toMatchObject({
			blockedBy: null,
			inFlight: 0,
			backlog: 0,
			oldestPendingAt: null,
			recent: { samples: 7, outcomes: { done: 7, error: 0 } },
		});
	});

	test("counts a delivery that has failed and waits for a retry once, in addition to untried ones", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		model(
			({ deliveryId }) =>
				new Response(null, {
					status: deliveryId === first ? 500 : 503,
					...(deliveryId !== first && { headers: HOLD }),
				}),
		);
		const items = Array.from({ length: 4 }, () => incoming(setting));
		const first = items[0]?.id ?? "";
		await setting.dispatcher.enqueue(items);
		// Of one call: they stand in one row of the inbox.
		await whenTried(setting, first);
		await whenTried(setting, items[1]?.id ?? "");
		const oldest = await setting.dispatcher.get(first);
		expect(await setting.dispatcher.health()).toMatchObject({
			blockedBy: "hold",
			inFlight: 0,
			backlog: 4,
			oldestPendingAt: timeOfPosition(oldest?.position ?? 0),
			recent: { outcomes: { error: 1, busy: 1 } },
		});
		await evictDurableObject(setting.dispatcher);
		expect(await setting.dispatcher.health()).toMatchObject({ backlog: 4 });
	});

	test("remembers after an eviction how exchanges went", async () => {
		const setting = await createSetting();
		model(() => new Response(null, { status: 500 }));
		const [id = ""] = await enqueue(setting, 1);
		await whenTried(setting, id);
		const before = await setting.dispatcher.health();
		await evictDurableObject(setting.dispatcher);
		const after = await setting.dispatcher.health();
		expect(after.recent).toMatchObject({ p50: before.recent.p50, samples: 1, outcomes: { error: 1 } });
		vi.restoreAllMocks();
		model(() => Response.json({}));
		await setting.dispatcher.retry(id);
		await whenStatus(setting, id, "succeeded");
		expect((await setting.dispatcher.health()).recent).toMatchObject({ outcomes: { error: 1, done: 1 } });
	});

	test("returns the limit that was learnt for an endpoint", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 4 } });
		const calls = model(async ({ deliveryId }) => {
			await until(() => calls.length >= 4);
			const isRefused = calls.findIndex((call) => call.deliveryId === deliveryId) >= 2;
			return new Response(null, { status: isRefused ? 503 : 204 });
		});
		await enqueue(setting, 4);
		await vi.waitFor(async () => {
			const { limit } = await setting.dispatcher.health();
			expect(limit).toBeGreaterThanOrEqual(1);
			expect(limit).toBeLessThan(4);
		});
	});
});

const HOLD = { "retry-after": "600" };
