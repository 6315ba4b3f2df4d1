import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { DeliveryQuery, DeliveryRecord } from "../../../../src/delivery/records.ts";
import { createSetting, incoming, model, type Setting, whenStatus } from "../../dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const ok = () => Response.json({ text: "read" });

describe("the list", () => {
	test("of pending deliveries since a time passes over those that were canceled", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const [older, newer] = [incoming(setting), incoming(setting)];
		const since = Date.now() - 1000;
		await setting.dispatcher.enqueue([older]);
		await setting.dispatcher.enqueue([newer]);
		await setting.dispatcher.cancel(newer.id);
		const { items: pending } = await setting.dispatcher.list({ status: "pending", since, limit: 10 });
		expect(pending.map(({ id }) => id)).toEqual([older.id]);
	});

	test("shows tried and untried deliveries as one, newest first, page by page", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		let count = 0;
		model(() => (++count <= 3 ? ok() : new Response(null, { status: 401 })));
		const items = Array.from({ length: 8 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items.slice(0, 5));
		await setting.dispatcher.enqueue(items.slice(5));
		await vi.waitFor(async () => {
			expect((await setting.dispatcher.list({ limit: 10, status: "succeeded" })).items).toHaveLength(3);
			expect((await setting.dispatcher.list({ limit: 10, status: "pending" })).items).toHaveLength(5);
		});
		const newestFirst = items.map(({ id }) => id).reverse();
		const { items: all } = await setting.dispatcher.list({ limit: 10 });
		expect(all.map(({ id }) => id)).toEqual(newestFirst);
		const { items: first } = await setting.dispatcher.list({ limit: 3 });
		const { items: rest } = await setting.dispatcher.list({ limit: 10, before: first[2]?.position ?? 0 });
		expect([...first, ...rest].map(({ id }) => id)).toEqual(newestFirst);
	});
});

/** Asks as long as something has not been looked at; how often says `calls`. */
async function search(
	{ dispatcher }: Setting,
	query: DeliveryQuery,
): Promise<{ found: DeliveryRecord[]; calls: number }> {
	const found: DeliveryRecord[] = [];
	let range: { before?: number } = {};
	for (let calls = 1; calls <= 20; calls++) {
		const { items, rest } = await dispatcher.list({ ...query, ...range });
		found.push(...items);
		if (rest === null) return { found, calls };
		range = { before: rest };
	}
	throw new Error("the list has no end");
}

describe("a search looks at a part of a long list at a time, and misses nothing", () => {
	test("among those that have been tried", async () => {
		const setting = await createSetting();
		model(ok);
		const oldest = incoming(setting);
		await setting.dispatcher.enqueue([oldest]);
		await whenStatus(setting, oldest.id, "succeeded");
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			storage.sql.exec(
				`INSERT INTO deliveries (seq, id, event_id, subscription_id, subscription_name, endpoint_ref, status,
				   spent, busy_count, attempts)
				 WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 12000)
				 SELECT seq + n, id || n, event_id, 'sub_other', 'other', endpoint_ref,
				   CASE n WHEN 1 THEN 'dead' ELSE 'canceled' END, 1, 0, '[]' FROM deliveries, more`,
			);
		});
		const limit = 10;
		const all = await search(setting, { subscriptionId: setting.subscription.id, limit });
		expect(all.found.map(({ id }) => id)).toEqual([oldest.id]);
		expect(all.calls).toBeGreaterThan(1);
		const succeeded = await search(setting, { status: "succeeded", limit });
		expect(succeeded.found.map(({ id }) => id)).toEqual([oldest.id]);
		// These have an index, and the only one is found at once.
		const dead = await search(setting, { status: "dead", limit });
		expect(dead).toMatchObject({ found: [{ id: `${oldest.id}1` }], calls: 1 });
	});

	test("among those that wait for their first try", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const other = { subscriptionId: "sub_other", subscriptionName: "other" };
		const oldest = incoming(setting);
		await setting.dispatcher.enqueue([oldest]);
		await runInDurableObject(setting.dispatcher, async (instance) => {
			for (let count = 0; count < 450; count++) await instance.enqueue([incoming(setting, other)]);
		});
		const { found, calls } = await search(setting, {
			subscriptionId: setting.subscription.id,
			status: "pending",
			limit: 10,
		});
		expect(found.map(({ id }) => id)).toEqual([oldest.id]);
		expect(calls).toBeGreaterThan(1);
	});
});
