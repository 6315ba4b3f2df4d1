/** What a dispatcher does once it is told that somebody has seen to its endpoint. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { dispatcher } from "../../src/objects/clients.ts";
import { updateEndpoint } from "../../src/store/resources/endpoints.ts";
import {
	type Call,
	createSetting,
	incoming,
	model,
	runAlarm,
	type Setting,
	until,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const busy = () => new Response(null, { status: 429, headers: { "retry-after": "86400" } });
const down = () => new Response(null, { status: 500 });
const ok = () => Response.json({ text: "read" });

describe("an endpoint that has been repaired", () => {
	test("gets its postponed and failed deliveries at once", async () => {
		const setting = await createSetting();
		let answer = down;
		const calls = model(() => answer());
		const [failed, parked] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([failed]);
		await whenTried(setting, failed.id);
		answer = busy;
		await setting.dispatcher.enqueue([parked]);
		await whenTried(setting, parked.id);
		answer = ok;
		await setting.dispatcher.refresh({ repaired: true });
		for (const { id } of [failed, parked]) {
			expect(await whenStatus(setting, id, "succeeded")).toMatchObject({ attempts: [{}, { number: 2 }] });
		}
		expect(calls).toHaveLength(4);
	});

	test("does so when the object has forgotten everything, too", async () => {
		const setting = await createSetting();
		let isUp = false;
		model(() => (isUp ? ok() : busy()));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		await evictDurableObject(setting.dispatcher);
		isUp = true;
		const again = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		await again.dispatcher.refresh({ repaired: true });
		await whenStatus(again, item.id, "succeeded");
	});

	test("is not held back by a late response to an earlier request", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		let isRepaired = false;
		const calls: Call[] = model(async () => {
			if (calls.length > 1) return ok();
			await until(() => isRepaired);
			return busy();
		});
		const [late, next] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([late, next]);
		await vi.waitFor(() => expect(calls).toHaveLength(1));
		await setting.dispatcher.refresh({ repaired: true });
		isRepaired = true;
		for (const { id } of [late, next]) await whenStatus(setting, id, "succeeded");
		expect(await setting.dispatcher.get(late.id)).toMatchObject({ attempts: [{ outcome: "busy" }, {}] });
	});

	test("comes only from the API: other settings or a refresh alone leave the wait unchanged", async () => {
		const setting = await createSetting();
		const calls = model(busy);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		await updateEndpoint(env, setting.endpoint, { url: "https://other.example.com/" });
		await setting.dispatcher.refresh({ repaired: false });
		await setting.dispatcher.refresh();
		await runAlarm(setting);
		expect(calls).toHaveLength(1);
		expect((await setting.dispatcher.get(item.id))?.nextAttemptAt).toBeGreaterThan(Date.now() + 80_000_000);
	});
});

/** Parks copies of a delivery that has been tried, due in a day. */
async function park(setting: Setting, count: number): Promise<void> {
	model(busy);
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await whenTried(setting, item.id);
	await runInDurableObject(setting.dispatcher, (_, { storage: { sql } }) => {
		const columns = sql.exec("SELECT * FROM deliveries").columnNames.slice(2);
		sql.exec(
			`INSERT INTO deliveries (seq, id, ${columns.join(", ")})
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
			SELECT seq + i, id || i, ${columns.join(", ")} FROM deliveries, n`,
		);
	});
}

function parkedIn(sql: SqlStorage): number {
	const count = "SELECT count(*) AS n FROM deliveries WHERE status = 'pending' AND due_at > ?";
	return sql.exec<{ n: number }>(count, Date.now()).one().n;
}

describe("a great many that are parked", () => {
	test("come forward in slices, and nothing is sent before the last", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		await park(setting, 12_000);
		const parked: number[] = [];
		await runInDurableObject(setting.dispatcher, (_, { storage: { sql } }) => {
			model(() => {
				parked.push(parkedIn(sql));
				return busy();
			});
		});
		await setting.dispatcher.refresh({ repaired: true });
		await vi.waitFor(() => expect(parked).toEqual([0]), { timeout: 60_000 });
	});

	test("come forward to the last where the object is lost in between, and where the endpoint is paused", async () => {
		const setting = await createSetting();
		await park(setting, 12_000);
		await updateEndpoint(env, setting.endpoint, { status: "paused", statusReason: "manual" });
		await setting.dispatcher.refresh();
		await runInDurableObject(setting.dispatcher, (instance) => {
			instance.refresh({ repaired: true });
		});
		await evictDurableObject(setting.dispatcher);
		const again = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		await vi.waitFor(
			async () => {
				await runAlarm(again);
				const parked = runInDurableObject(again.dispatcher, (_, { storage }) => parkedIn(storage.sql));
				expect(await parked).toBe(0);
			},
			{ timeout: 60_000 },
		);
	});
});
