import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { Backlog } from "../../../../src/delivery/ledger/backlog.ts";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
	createSetting,
	incoming,
	model,
	runAlarm,
	type Setting,
	whenStatus,
} from "../../dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

async function inSql<T>({ dispatcher }: Setting, work: (sql: SqlStorage) => T): Promise<T> {
	return runInDurableObject(dispatcher, (_, { storage }) => work(storage.sql));
}

function countInbox(setting: Setting): Promise<number> {
	return inSql(setting, (sql) => sql.exec<{ rows: number }>("SELECT count(*) AS rows FROM inbox").one().rows);
}

describe("an event that comes again", () => {
	test("while its deliveries wait is stored once, and every page of the list shows each once", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const items = Array.from({ length: 30 }, () => incoming(setting));
		const storedAt = Date.now();
		await setting.dispatcher.enqueue(items);
		await setting.dispatcher.enqueue([incoming(setting)]);
		await setting.dispatcher.enqueue(items.map((item) => ({ ...item, storedAt })));
		expect(await countInbox(setting)).toBe(2);
		const seen: string[] = [];
		let before: number | undefined;
		for (let page = 0; page < 10; page++) {
			const query = { limit: 7, ...(before !== undefined && { before }) };
			const { items } = await setting.dispatcher.list(query);
			if (items.length === 0) break;
			seen.push(...items.map(({ id }) => id));
			before = items.at(-1)?.position;
		}
		expect(seen).toHaveLength(31);
		expect(new Set(seen).size).toBe(31);
	});

	test("with deliveries that did not get here the first time: those are taken", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const [here, missing] = [incoming(setting), incoming(setting)];
		const storedAt = Date.now();
		await setting.dispatcher.enqueue([here]);
		await setting.dispatcher.enqueue([
			{ ...here, storedAt },
			{ ...missing, storedAt },
		]);
		const { items } = await setting.dispatcher.list({ limit: 10 });
		expect(items.map(({ id }) => id).sort()).toEqual([here.id, missing.id].sort());
	});

	test("is found though the clock of its log is ahead", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await setting.dispatcher.enqueue([{ ...item, storedAt: Date.now() + 30_000 }]);
		expect(await countInbox(setting)).toBe(1);
	});

	test("by another consumer, which comes first and is told that it is no new one, is stored once", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([{ ...item, storedAt: Date.now() }]);
		await setting.dispatcher.enqueue([item]);
		expect(await countInbox(setting)).toBe(1);
		expect((await setting.dispatcher.list({ limit: 1 })).items).toHaveLength(1);
	});

	test("twice in one call is one delivery", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item, item]);
		expect((await setting.dispatcher.list({ limit: 10 })).items).toHaveLength(1);
	});
});

test("a delivery canceled before its first attempt is not sent after its row has been deleted", async () => {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	const item = incoming(setting);
	await runInDurableObject(setting.dispatcher, (_, { storage }) => {
		const make = (): Backlog => new Backlog(storage);
		const [backlog, later] = [make(), 31 * 86_400_000];
		backlog.add([item], 1_000);
		const delivery = backlog.find(item.id);
		if (delivery === null) throw new Error("it is here");
		backlog.record([{ ...delivery, state: { phase: "canceled", finishedAt: 2_000 } }]);
		backlog.retention.sweep(later);
		expect(backlog.claim("pending", later, new Map())).toBeNull();
		// Its row of the inbox has gone with that, and nothing holds it back any more.
		const woken = make();
		woken.retention.sweep(later);
		expect(woken.find(item.id)).toBeNull();
		expect(woken.claim("pending", later, new Map())).toBeNull();
	});
});

test("more decisions for one event than a row holds are stored, and sent each once", async () => {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	const { event, decisions } = incoming(setting);
	const [first] = decisions;
	if (first === undefined) throw new Error("the fixture decides");
	const many = Array.from({ length: 2_500 }, (_, index) => ({
		...first,
		deliveryId: `dlv_${String(index).padStart(22, "0")}${setting.endpoint.id.slice(3)}`,
	}));
	await setting.dispatcher.enqueue([{ event, decisions: many }]);
	expect(await countInbox(setting)).toBeGreaterThan(1);
	const found = await setting.dispatcher.get(many.at(-1)?.deliveryId ?? "");
	expect(found).toMatchObject({ status: "pending", eventId: event.id });
});

describe("rows written by a newer release", () => {
	const NEWER = '{"v":2,"something":"else"}\n';

	test("in the inbox ends as dead letters, holds up nothing, and can be sent by the release that reads it", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const calls = model(() => Response.json({}));
		const [unreadable, readable] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([unreadable]);
		const segment = await inSql(setting, (sql) => {
			const { segment } = sql.exec<{ segment: string }>("SELECT segment FROM inbox").one();
			sql.exec("UPDATE inbox SET segment = ?", NEWER);
			return segment;
		});
		await setting.dispatcher.enqueue([readable]);
		await env.DB.prepare("UPDATE endpoints SET status = 'active' WHERE id = ?")
			.bind(setting.endpoint.id)
			.run();
		await setting.dispatcher.refresh();
		await whenStatus(setting, readable.id, "succeeded");
		expect(await setting.dispatcher.get(unreadable.id)).toMatchObject({
			status: "dead",
			reason: "unreadable",
			eventId: unreadable.event.id,
		});
		expect(await setting.dispatcher.retry(unreadable.id)).toEqual({ ok: false, code: "unreadable" });
		expect(calls).toHaveLength(1);

		await inSql(setting, (sql) => sql.exec("UPDATE unreadable_inbox SET segment = ?", segment));
		expect(await setting.dispatcher.retry(unreadable.id)).toMatchObject({ ok: true });
		await whenStatus(setting, unreadable.id, "succeeded");
	});

	test("in the inbox down to the decisions is set aside without stopping the others", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		model(() => Response.json({}));
		await setting.dispatcher.enqueue([incoming(setting)]);
		await inSql(setting, (sql) => sql.exec("UPDATE inbox SET decisions = '{}', segment = ?", NEWER));
		const readable = incoming(setting);
		await setting.dispatcher.enqueue([readable]);
		await env.DB.prepare("UPDATE endpoints SET status = 'active' WHERE id = ?")
			.bind(setting.endpoint.id)
			.run();
		await setting.dispatcher.refresh();
		await whenStatus(setting, readable.id, "succeeded");
		expect(
			await inSql(setting, (sql) => sql.exec("SELECT decisions FROM unreadable_inbox").toArray()),
		).toEqual([{ decisions: "{}" }]);
	});

	test.each([
		["an outcome that is not known yet", "attempts", '[{"number":1,"outcome":"throttled"}]'],
		["attempts that are no list", "attempts", "{}"],
		["an event in another form", "event", NEWER],
		["a kind of result that is not known yet", "result_kind", "tensor"],
	])("in a delivery, %s: it is dead and the next one goes", async (_, column, value) => {
		const setting = await createSetting();
		model(() => new Response(null, { status: 500 }));
		const [unreadable, readable] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([unreadable, readable]);
		await vi.waitFor(async () => {
			for (const { id } of [unreadable, readable]) {
				expect((await setting.dispatcher.get(id))?.attempts).toHaveLength(1);
			}
		});
		await inSql(setting, (sql) => {
			sql.exec(`UPDATE deliveries SET ${column} = ? WHERE id = ?`, value, unreadable.id);
			sql.exec("UPDATE deliveries SET due_at = 1");
		});
		vi.restoreAllMocks();
		model(() => Response.json({}));
		await runAlarm(setting);
		await whenStatus(setting, readable.id, "succeeded");
		expect(await setting.dispatcher.get(unreadable.id)).toMatchObject({
			status: "dead",
			reason: "unreadable",
		});
		expect((await setting.dispatcher.list({ reason: "unreadable", limit: 5 })).items).toHaveLength(1);
		expect(
			await inSql(setting, (sql) => sql.exec(`SELECT ${column} FROM deliveries`).toArray()),
		).toContainEqual({
			[column]: value,
		});
	});

	test("a status that is not known yet is shown as unreadable, and the row stays as it is", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await setting.dispatcher.cancel(item.id);
		await inSql(setting, (sql) => sql.exec("UPDATE deliveries SET status = 'leased'"));
		const { items } = await setting.dispatcher.list({ limit: 5 });
		expect(items).toMatchObject([{ id: item.id, status: "dead", reason: "unreadable" }]);
		expect(await inSql(setting, (sql) => sql.exec("SELECT status FROM deliveries").toArray())).toEqual([
			{ status: "leased" },
		]);
	});
});
