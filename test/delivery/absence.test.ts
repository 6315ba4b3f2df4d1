/** Deletion is told and kept. What is merely not there, because the database was lost or restored, is waited for. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { dispatcher } from "../../src/objects/clients.ts";
import { deleteEndpoint } from "../../src/store/resources/endpoints.ts";
import { seal } from "../../src/crypto/seal.ts";
import { deleteSubscription } from "../../src/store/resources/subscriptions.ts";
import { createSetting, incoming, model, runAlarm, type Setting, whenStatus } from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
	vi.useRealTimers();
});

const ok = () => Response.json({ text: "read" });

/** Takes rows out of the database as a restore does, and answers how to put them back. */
async function lose(table: "endpoints" | "subscriptions", id: string): Promise<() => Promise<void>> {
	const [found] = await env.DB.batch<Record<string, string | number | null>>([
		env.DB.prepare(`SELECT * FROM ${table} WHERE id = ?`).bind(id),
		env.DB.prepare(`DELETE FROM ${table} WHERE id = ?`).bind(id),
	]);
	const row = found?.results[0] ?? {};
	const marks = Object.keys(row).map(() => "?");
	const sql = `INSERT INTO ${table} (${Object.keys(row).join(", ")}) VALUES (${marks.join(", ")})`;
	return async () => {
		await env.DB.prepare(sql)
			.bind(...Object.values(row))
			.run();
	};
}

async function alarmOf({ dispatcher }: Setting): Promise<number | null> {
	return runInDurableObject(dispatcher, (_, { storage }) => storage.getAlarm());
}

describe("an endpoint that is missing from the database", () => {
	test("keeps its backlog and sends nothing; the deliveries say why, and go on when it is back", async () => {
		const setting = await createSetting();
		const calls = model(ok);
		const putBack = await lose("endpoints", setting.endpoint.id);
		const items = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue(items);
		await vi.waitFor(async () => {
			const { items: listed } = await setting.dispatcher.list({ limit: 10 });
			expect(listed).toMatchObject([
				{ status: "pending", attempts: [], detail: expect.stringContaining("missing from the database") },
				{ status: "pending", attempts: [], detail: expect.stringContaining("missing from the database") },
			]);
		});
		await evictDurableObject(setting.dispatcher);
		const woken = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		expect((await woken.dispatcher.get(items[0]?.id ?? ""))?.detail).toContain("missing from the database");
		await runAlarm(woken);
		// It looks again by itself, in five minutes.
		expect((await alarmOf(woken)) ?? 0).toBeGreaterThan(Date.now());
		expect((await alarmOf(woken)) ?? Number.POSITIVE_INFINITY).toBeLessThan(Date.now() + 301_000);
		expect(calls).toEqual([]);
		await putBack();
		await woken.dispatcher.refresh();
		for (const { id } of items) expect((await whenStatus(woken, id, "succeeded")).detail).toBeNull();
	});

	test("as when the whole database is empty", async () => {
		const setting = await createSetting();
		const calls = model(ok);
		const { results } = await env.DB.prepare(
			"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*' AND name NOT GLOB 'sqlite*'",
		).all<{ name: string }>();
		await env.DB.batch(results.map(({ name }) => env.DB.prepare(`DROP TABLE ${name}`)));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await runAlarm(setting);
		expect(await setting.dispatcher.get(item.id)).toMatchObject({ status: "pending", attempts: [] });
		expect(calls).toEqual([]);
	});
});

describe("an endpoint that has been deleted", () => {
	test("ends its waiting deliveries, whether notified or not", async () => {
		const setting = await createSetting();
		const putBack = await lose("endpoints", setting.endpoint.id);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await putBack();
		await deleteSubscription(env, setting.subscription.id);
		expect(await deleteEndpoint(env, setting.endpoint.id)).toMatchObject({ usedBy: [] });
		await setting.dispatcher.refresh();
		expect(await whenStatus(setting, item.id, "dead")).toMatchObject({
			reason: "deleted",
			detail: "The endpoint has been deleted.",
		});
	});

	test("stays deleted for a dispatcher that was notified, even if the database lost the deletion", async () => {
		const setting = await createSetting();
		await lose("endpoints", setting.endpoint.id);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await setting.dispatcher.markDeleted();
		await evictDurableObject(setting.dispatcher);
		const woken = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		await runAlarm(woken);
		expect(await whenStatus(woken, item.id, "dead")).toMatchObject({ reason: "deleted" });
	});

	test("stays deleted although D1 fails at first and what was read before is kept", async () => {
		const setting = await createSetting();
		model(ok);
		const first = incoming(setting);
		await setting.dispatcher.enqueue([first]);
		await whenStatus(setting, first.id, "succeeded");
		const database = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: overloaded"));
		await setting.dispatcher.markDeleted();
		await runAlarm(setting);
		expect(database).toHaveBeenCalled();
		database.mockRestore();
		await lose("endpoints", setting.endpoint.id);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		expect(await whenStatus(setting, item.id, "dead")).toMatchObject({ reason: "deleted" });
	});

	test("is there again with a database that was restored to the time before", async () => {
		const setting = await createSetting();
		model(ok);
		const putBack = await lose("endpoints", setting.endpoint.id);
		await setting.dispatcher.markDeleted();
		await putBack();
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "succeeded");
	});
});

describe("a subscription that is missing from the database", () => {
	test("is waited for without an attempt; then its deliveries go on", async () => {
		const setting = await createSetting();
		const calls = model(ok);
		const putBack = await lose("subscriptions", setting.subscription.id);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const waiting = await vi.waitFor(async () => {
			const delivery = await setting.dispatcher.get(item.id);
			expect(delivery?.detail).toContain("subscription is missing from the database");
			return delivery;
		});
		expect(waiting).toMatchObject({ status: "pending", reason: null, attempts: [] });
		expect(waiting?.nextAttemptAt).toBeGreaterThan(Date.now() + 50_000);
		expect(calls).toEqual([]);
		await putBack();
		await setting.dispatcher.refresh();
		await setting.dispatcher.retry(item.id);
		expect(await whenStatus(setting, item.id, "succeeded")).toMatchObject({
			detail: null,
			attempts: [{ number: 1 }],
		});
	});

	test("is looked up once for many deliveries", async () => {
		const setting = await createSetting();
		await lose("subscriptions", setting.subscription.id);
		const prepare = vi.spyOn(env.DB, "prepare");
		const items = Array.from({ length: 30 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		await vi.waitFor(async () => {
			const { items: listed } = await setting.dispatcher.list({ limit: 50 });
			expect(listed.filter(({ detail }) => detail !== null)).toHaveLength(30);
		});
		const lookUps = prepare.mock.calls.filter(([sql]) => sql.includes("subscriptions WHERE id"));
		// As many as were claimed at the same moment ask; the others find it known.
		expect(lookUps.length).toBeLessThan(8);
	});

	test("that has been deleted ends its deliveries", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await deleteSubscription(env, setting.subscription.id);
		await env.DB.prepare("UPDATE endpoints SET status = 'active' WHERE id = ?")
			.bind(setting.endpoint.id)
			.run();
		await setting.dispatcher.refresh();
		expect(await whenStatus(setting, item.id, "dead")).toMatchObject({
			reason: "deleted",
			detail: "The subscription has been deleted.",
		});
	});
});

describe("credentials that no key opens", () => {
	test.each(["auth", "headers", "signing_secrets"])(
		"without %s nothing is sent, and all is kept",
		async (column) => {
			const setting = await createSetting();
			const calls = model(ok);
			const readable = await env.DB.prepare(`SELECT ${column} AS text FROM endpoints WHERE id = ?`)
				.bind(setting.endpoint.id)
				.first<string>("text");
			const set = env.DB.prepare(`UPDATE endpoints SET ${column} = ? WHERE id = ?`);
			await set.bind(await seal({ ADMIN_TOKEN: "lost" }, '{"type":"none"}'), setting.endpoint.id).run();
			const item = incoming(setting);
			await setting.dispatcher.enqueue([item]);
			await runAlarm(setting);
			expect(await setting.dispatcher.get(item.id)).toMatchObject({ status: "pending", attempts: [] });
			expect(calls).toEqual([]);
			await set.bind(readable, setting.endpoint.id).run();
			await setting.dispatcher.refresh();
			await whenStatus(setting, item.id, "succeeded");
		},
	);
});

test("thousands of deliveries of a deleted subscription end in slices, with one lookup and a few log lines", async () => {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	const calls = model(ok);
	const items = Array.from({ length: 1_000 }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	await deleteSubscription(env, setting.subscription.id);
	await env.DB.prepare("UPDATE endpoints SET status = 'active' WHERE id = ?").bind(setting.endpoint.id).run();
	const lines = vi.spyOn(console, "log");
	const queries = vi.spyOn(env.DB, "prepare");
	await setting.dispatcher.refresh();
	await vi.waitFor(async () => {
		await runAlarm(setting);
		const { items: dead } = await setting.dispatcher.list({
			status: "dead",
			reason: "deleted",
			limit: 2_000,
		});
		expect(dead).toHaveLength(1_000);
	});
	expect(calls).toEqual([]);
	expect(lines.mock.calls.length).toBeLessThan(50);
	expect(queries.mock.calls.length).toBeLessThan(50);
});
