/** What an endpoint may have waiting: small limits over real storage, and the real ones in a whole dispatcher. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Backlog } from "../../../src/delivery/ledger/backlog.ts";
import { listRecords } from "../../../src/delivery/ledger/queries/listing.ts";
import type { Load } from "../../../src/delivery/ledger/inbox/limits.ts";
import { fresh } from "../../../src/delivery/rules/state.ts";
import { createSetting, incoming, model, setFull, type Setting, whenStatus } from "../dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

/** A backlog of its own in the storage of a dispatcher that is never called. */
async function withBacklog(
	limits: Partial<Load>,
	work: (backlog: () => Backlog, setting: Setting, sql: SqlStorage) => void,
): Promise<void> {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	await runInDurableObject(setting.dispatcher, (_, { storage }) => {
		const make = () => new Backlog(storage, { deliveries: 1_000, bytes: 1e12, ...limits });
		work(make, setting, storage.sql);
	});
}

const NONE: ReadonlyMap<string, unknown> = new Map();

function claimAll(backlog: Backlog): string[] {
	const claimed = new Map<string, unknown>();
	for (let next = backlog.claim("pending", Date.now() + 1_000, claimed); next !== null;) {
		claimed.set(next.id, next);
		next = backlog.claim("pending", Date.now() + 1_000, claimed);
	}
	return [...claimed.keys()];
}

/** Takes one out of the backlog, as if it had been sent. */
function succeed(backlog: Backlog): void {
	const delivery = backlog.claim("pending", Date.now() + 1_000, NONE);
	if (delivery === null) throw new Error("nothing waits");
	const state = { phase: "succeeded", finishedAt: 1 } as const;
	backlog.record([{ ...delivery, state }]);
}

describe("a limit in deliveries", () => {
	test("accepts what fits, in order, and reports the rest", async () => {
		await withBacklog({ deliveries: 3 }, (make, setting) => {
			const backlog = make();
			const items = Array.from({ length: 5 }, () => incoming(setting));
			const [a, b, c, d, e] = items.map(({ id }) => id);
			expect(backlog.add(items.slice(0, 2), 1_000)).toEqual({ full: [] });
			expect(backlog.add(items.slice(2), 1_000)).toEqual({ full: [d, e] });
			expect(claimAll(backlog)).toEqual([a, b, c]);
		});
	});

	test("neither counts nor refuses known deliveries", async () => {
		await withBacklog({ deliveries: 2 }, (make, setting) => {
			const backlog = make();
			const items = [incoming(setting), incoming(setting)].map((item) => ({ ...item, storedAt: 1_000 }));
			expect(backlog.add(items, 1_000)).toEqual({ full: [] });
			expect(backlog.add(items, 1_000)).toEqual({ full: [] });
			expect(make().add(items, 1_000)).toEqual({ full: [] });
		});
	});

	test("lets in as many as have ended, without waking in between", async () => {
		await withBacklog({ deliveries: 3 }, (make, setting) => {
			const backlog = make();
			for (let at = 0; at < 3; at++) backlog.add([incoming(setting)], 1_000);
			for (let round = 2; round < 10; round++) {
				const item = incoming(setting);
				expect(backlog.add([item], round * 1_000)).toEqual({ full: [item.id] });
				succeed(backlog);
				expect(backlog.add([incoming(setting)], round * 1_000 + 500)).toEqual({ full: [] });
			}
		});
	});

	test("counts after waking what waits, what is to be tried again, and what has still to be published", async () => {
		await withBacklog({ deliveries: 5 }, (make, setting) => {
			const first = make();
			first.add([incoming(setting)], 1_000);
			for (const state of [{ ...fresh(9e12), spent: 1 }, { phase: "publishing", dueAt: 9e12 } as const]) {
				first.add([incoming(setting)], 1_000);
				const delivery = first.claim("pending", Number.MAX_SAFE_INTEGER, NONE);
				if (delivery === null) throw new Error("one waits");
				first.record([{ ...delivery, state }]);
			}
			first.add([incoming(setting)], 1_000);
			// Four owed: two in the inbox, one to be tried again, one to be published.
			const items = [incoming(setting), incoming(setting)];
			expect(make().add(items, 2_000)).toEqual({ full: [items[1]?.id] });
		});
	});

	test("counts what is owed again because somebody has asked for it", async () => {
		await withBacklog({ deliveries: 4 }, (make, setting) => {
			const backlog = make();
			for (let at = 0; at < 4; at++) backlog.add([incoming(setting)], 1_000);
			const over = [backlog.claim("pending", 2_000, NONE), backlog.claim("pending", 2_000, NONE)];
			const state = { phase: "canceled", finishedAt: 1 } as const;
			const dead = over.flatMap((delivery) => (delivery === null ? [] : [{ ...delivery, state }]));
			backlog.record(dead);
			// Counted anew here: two have ended.
			expect(backlog.add([incoming(setting)], 2_000)).toEqual({ full: [] });
			for (const delivery of dead) backlog.change(delivery, { ...delivery, state: fresh(3_000) });
			const item = incoming(setting);
			expect(backlog.add([item], 4_000)).toEqual({ full: [item.id] });
		});
	});

	test("counts rows of release 0.1, which have no number, as nothing until they are gone", async () => {
		await withBacklog({ deliveries: 2 }, (make, setting, sql) => {
			make().add([incoming(setting), incoming(setting)], 1_000);
			sql.exec("UPDATE inbox SET number = NULL");
			const upgraded = make();
			const items = [incoming(setting), incoming(setting), incoming(setting)];
			expect(upgraded.add(items, 2_000)).toEqual({ full: [items[2]?.id] });
			expect(make().add([incoming(setting)], 3_000).full).toHaveLength(1);
			// Written by 0.1 again, after a rollback.
			sql.exec(
				"INSERT INTO inbox (seq, decisions, segment) SELECT max(seq) + 9, decisions, segment FROM inbox",
			);
			expect(make().add([incoming(setting)], 4_000)).toEqual({ full: [] });
		});
	});

	test("costs no more statements with much waiting than with nothing", async () => {
		await withBacklog({ deliveries: 1_000_000 }, (make, setting, sql) => {
			const backlog = make();
			backlog.add([incoming(setting)], 1_000);
			const read = (): number => {
				const exec = sql.exec.bind(sql);
				let rows = 0;
				const spy = vi.spyOn(Object.getPrototypeOf(sql) as SqlStorage, "exec");
				spy.mockImplementation((...args) => {
					const cursor = exec(...args);
					rows += cursor.rowsRead + 1;
					return cursor;
				});
				backlog.add([incoming(setting)], 2_000);
				spy.mockRestore();
				return rows;
			};
			const before = read();
			for (let at = 0; at < 2_000; at++) backlog.add([incoming(setting)], 3_000);
			expect(read()).toBe(before);
		});
	});
});

describe("a limit in bytes", () => {
	test("refuses everything above it, and finished deliveries make room first", async () => {
		await withBacklog({ bytes: 100_000 }, (make, setting, sql) => {
			const backlog = make();
			const large = incoming(setting);
			large.event.data = { kind: "json", text: `"${"x".repeat(200_000)}"` };
			expect(backlog.add([large], 1_000)).toEqual({ full: [] });
			const item = incoming(setting);
			expect(sql.databaseSize).toBeGreaterThan(100_000);
			expect(backlog.add([item], 1_000)).toEqual({ full: [item.id] });
			// Failed for good, so it keeps its event.
			const delivery = backlog.claim("pending", Date.now(), NONE);
			if (delivery === null) throw new Error("one waits");
			const state = { phase: "dead", reason: "rejected", detail: null, finishedAt: 1 } as const;
			backlog.record([{ ...delivery, state }]);
			expect(backlog.add([incoming(setting)], 2_000_000)).toEqual({ full: [] });
			expect(backlog.find(delivery.id)).toBeNull();
			// What was refused is not part of that.
			expect(backlog.find(item.id)).toMatchObject({ state: { reason: "backlog_full" } });
		});
	});

	test("an end that the database causes by itself is not a failure either", async () => {
		await withBacklog({}, (make, setting, sql) => {
			const backlog = make();
			const exec = sql.exec.bind(sql);
			const spy = vi.spyOn(Object.getPrototypeOf(sql) as SqlStorage, "exec");
			const failWrites = (error: string, table: RegExp) =>
				spy.mockImplementation((query, ...args) => {
					if (table.test(query)) throw new Error(error);
					return exec(query, ...args);
				});
			const item = incoming(setting);
			failWrites("database or disk is full: SQLITE_FULL", /INSERT INTO inbox/);
			expect(backlog.add([item], 1_000)).toEqual({ full: [item.id] });
			expect(backlog.find(item.id)?.state).toMatchObject({ phase: "dead", reason: "backlog_full" });
			// Not even the refusal can be written.
			failWrites("database or disk is full: SQLITE_FULL", /INSERT INTO/);
			const another = incoming(setting);
			expect(backlog.add([another], 1_000)).toEqual({ full: [another.id] });
			expect(backlog.find(another.id)).toBeNull();
			failWrites("disk I/O error: SQLITE_IOERR", /INSERT INTO inbox/);
			expect(() => backlog.add([incoming(setting)], 1_000)).toThrow("SQLITE_IOERR");
			spy.mockRestore();
			expect(backlog.add([another], 2_000)).toEqual({ full: [] });
			expect(claimAll(backlog)).toEqual([another.id]);
		});
	});
});

test("a database without any room refuses all there is, without touching the alarm", async () => {
	const setting = await createSetting();
	const calls = model(() => Response.json({}));
	const items = [incoming(setting), incoming(setting)];
	await runInDurableObject(setting.dispatcher, (_, { storage: { sql } }) => {
		const exec = sql.exec.bind(sql);
		vi.spyOn(Object.getPrototypeOf(sql) as SqlStorage, "exec").mockImplementation((query, ...args) => {
			if (/^INSERT INTO (?:inbox|refused)/.test(query))
				throw new Error("database or disk is full: SQLITE_FULL");
			return exec(query, ...args);
		});
	});
	expect(await setting.dispatcher.enqueue(items)).toEqual({ full: items.map(({ id }) => id) });
	expect(await runInDurableObject(setting.dispatcher, (_, { storage }) => storage.getAlarm())).toBeNull();
	vi.restoreAllMocks();
	model(() => Response.json({}));
	await setting.dispatcher.enqueue(items);
	for (const { id } of items) await whenStatus(setting, id, "succeeded");
	expect(calls).toEqual([]);
});

describe("a refused delivery", () => {
	test("and taken when it came once more hides no other from the list", async () => {
		await withBacklog({ deliveries: 1 }, (make, setting, sql) => {
			const [taken, ...others] = Array.from({ length: 3 }, () => incoming(setting));
			if (taken === undefined) throw new Error("there are three");
			make().add([taken], 1_000);
			// Nobody says that the first has come before, and there is no room for it now.
			const backlog = make();
			expect(backlog.add([...others, taken], 2_000).full).toHaveLength(3);
			const seen: string[] = [];
			for (let before: number | undefined; ;) {
				const query = { limit: 1, ...(before !== undefined && { before }) };
				const { items, rest } = listRecords({ sql, refused: backlog.refused, inFlight: new Map() }, query);
				seen.push(...items.map(({ id }) => id));
				before = rest ?? items.at(-1)?.position;
				if (before === undefined) break;
			}
			expect(new Set(seen)).toEqual(new Set([taken, ...others].map(({ id }) => id)));
		});
	});

	test("stays refused when its message comes again, over an eviction too, and is listed once", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const waiting = incoming(setting);
		await setting.dispatcher.enqueue([waiting]);
		await setFull(setting, true);
		const items = [incoming(setting), incoming(setting)];
		const full = items.map(({ id }) => id);
		const storedAt = Date.now();
		expect(await setting.dispatcher.enqueue(items)).toEqual({ full });
		await evictDurableObject(setting.dispatcher);
		// There is room now, but what the event log was told holds.
		const again = [waiting, ...items].map((item) => ({ ...item, storedAt }));
		expect(await setting.dispatcher.enqueue(again)).toEqual({ full });
		const { items: listed } = await setting.dispatcher.list({ limit: 10 });
		expect(listed.map(({ id, status, reason }) => [id, status, reason])).toEqual([
			[items[1]?.id, "dead", "backlog_full"],
			[items[0]?.id, "dead", "backlog_full"],
			[waiting.id, "pending", null],
		]);
	});

	test("is found by the same filters as other dead letters, page by page", async () => {
		await withBacklog({ deliveries: 0 }, (make, setting) => {
			const backlog = make();
			const items = Array.from({ length: 2_500 }, () => incoming(setting));
			expect(backlog.add(items, 1_000).full).toHaveLength(2_500);
			const ids = items.map(({ id }) => id).reverse();
			const seen: string[] = [];
			let before: number | undefined;
			for (;;) {
				const query = { limit: 700, status: "dead", ...(before !== undefined && { before }) } as const;
				const page = backlog.refused.list(query);
				if (page.items.length === 0) break;
				seen.push(...page.items.map(({ id }) => id));
				before = page.items.at(-1)?.position;
			}
			expect(seen).toEqual(ids);
			const count = (query: object) => backlog.refused.list({ limit: 10, ...query }).items.length;
			expect(count({ reason: "backlog_full" })).toBe(10);
			expect(count({ subscriptionId: setting.subscription.id })).toBe(10);
			expect(count({ status: "pending" })).toBe(0);
			expect(count({ reason: "exhausted" })).toBe(0);
			expect(count({ subscriptionId: "sub_other" })).toBe(0);
			expect(count({ since: 1_001_000 })).toBe(0);
			expect(count({ until: 1_000 })).toBe(0);
		});
	});

	test("is remembered up to a bound, the latest ones, and for thirty days", async () => {
		await withBacklog({ deliveries: 0 }, (make, setting) => {
			const backlog = make();
			const { event, decisions } = incoming(setting);
			const [first] = decisions;
			if (first === undefined) throw new Error("the fixture decides");
			const batch = (from: number) => {
				const many = Array.from({ length: 10_000 }, (_, at) => ({
					...first,
					deliveryId: `dlv_${String(from + at).padStart(22, "0")}`,
				}));
				return { event, decisions: many };
			};
			for (let from = 0; from < 120_000; from += 10_000) backlog.add([batch(from)], Date.now());
			const isKnown = (number: number) => backlog.find(`dlv_${String(number).padStart(22, "0")}`) !== null;
			expect([0, 19_999, 20_000, 119_999].map(isKnown)).toEqual([false, false, true, true]);
			backlog.retention.sweep(Date.now() + 31 * 86_400_000);
			expect(isKnown(119_999)).toBe(false);
			expect(backlog.outlook(NONE).empty).toBe(true);
		});
	});
});

test("a whole dispatcher counts its backlog when it wakes, and sends on what it has", async () => {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	const calls = model(() => Response.json({}));
	const [first, second, third] = [incoming(setting), incoming(setting), incoming(setting)];
	await setting.dispatcher.enqueue([first]);
	await setting.dispatcher.enqueue([second]);
	// As if 999,998 stood between the two.
	await runInDurableObject(setting.dispatcher, (_, { storage: { sql } }) =>
		sql.exec("UPDATE inbox SET number = number - 999998 WHERE seq = (SELECT min(seq) FROM inbox)"),
	);
	await evictDurableObject(setting.dispatcher);
	expect(await setting.dispatcher.enqueue([third])).toEqual({ full: [third.id] });
	expect(calls).toEqual([]);
	await env.DB.prepare("UPDATE endpoints SET status = 'active' WHERE id = ?").bind(setting.endpoint.id).run();
	await setting.dispatcher.refresh({ repaired: true });
	for (const { id } of [first, second]) await whenStatus(setting, id, "succeeded");
	expect(await setting.dispatcher.enqueue([incoming(setting)])).toEqual({ full: [] });
});

test("a delivery that is claimed after its row has been read, as one that a hand tells of, is not given out", async () => {
	await withBacklog({}, (make, setting) => {
		const backlog = make();
		const [first, second, third] = [incoming(setting), incoming(setting), incoming(setting)];
		backlog.add([first, second, third], Date.now());
		expect(backlog.claim("pending", Date.now() + 1_000, NONE)?.id).toBe(first.id);
		const claimed = new Map([first, second].map(({ id }) => [id, id]));
		expect(backlog.claim("pending", Date.now() + 1_000, claimed)?.id).toBe(third.id);
	});
});
