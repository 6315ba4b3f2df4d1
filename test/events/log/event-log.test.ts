import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi, afterEach } from "vitest";
import { eventLog } from "../../../src/objects/clients.ts";
import { appendSome } from "../../../src/events/log/append.ts";
import type { Decision, SluiceEvent } from "../../../src/events/event.ts";
import { eventId, newId } from "../../../src/events/ids.ts";
import { EventLog } from "../../../src/events/log/event-log.ts";
import type { LogEntry } from "../../../src/events/log/entry.ts";
import type { Slice } from "../../../src/events/position.ts";
import { encodeSegment } from "../../../src/events/queue/segment.ts";

afterEach(() => {
	vi.useRealTimers();
});

interface Log {
	sourceId: string;
	log: ReturnType<typeof eventLog>;
}

function newLog(): Log {
	const sourceId = newId("src");
	return { sourceId, log: eventLog(env, sourceId) };
}

function event(
	{ sourceId }: Log,
	id: string,
	type = "document.inserted",
	text = `{"id":"${id}"}`,
): SluiceEvent {
	const attributes = { id, source: "/docs", type };
	return {
		id: eventId(sourceId, attributes),
		sourceId,
		receivedAt: 1,
		attributes,
		data: { kind: "json", text },
	};
}

function decision(name: string): Decision {
	return {
		deliveryId: `dlv_${name}`,
		subscriptionId: `sub_${name}`,
		subscriptionName: name,
		endpointId: "ep_1",
		endpointRef: "ocr@1",
	};
}

describe("append", () => {
	test("returns null for new events, and the first decisions for known ones", async () => {
		const log = newLog();
		const [first, second] = [event(log, "1"), event(log, "2")];
		expect(await log.log.append([{ event: first, decisions: [decision("a")] }])).toEqual([null]);
		expect(
			await log.log.append([
				{ event: first, decisions: [decision("b")] },
				{ event: second, decisions: [decision("b")] },
				{ event: second, decisions: [decision("c")] },
			]),
		).toEqual([[decision("a")], null, [decision("b")]]);
		expect((await log.log.list({ limit: 10 })).items.map(({ event }) => event.attributes.id)).toEqual([
			"2",
			"1",
		]);
	});

	test("still knows what it knew after the object was lost", async () => {
		const log = newLog();
		await log.log.append([{ event: event(log, "1"), decisions: [] }]);
		await runInDurableObject(log.log, (_, state) => state.abort("lost")).catch(() => {});
		const again = eventLog(env, log.sourceId);
		expect(await again.append([{ event: event(log, "1"), decisions: [] }])).toEqual([[]]);
	});

	test("writes one row for many events", async () => {
		const log = newLog();
		const events = Array.from({ length: 100 }, (_, index) => event(log, String(index)));
		await log.log.append(events.map((event) => ({ event, decisions: [decision("a")] })));
		await runInDurableObject(log.log, (_, { storage }) => {
			expect(storage.sql.exec("SELECT count(*) AS rows FROM segments").one()).toEqual({ rows: 1 });
		});
	});

	test("takes events that do not fit into one row", async () => {
		const log = newLog();
		const large = Array.from({ length: 4 }, (_, index) =>
			event(log, String(index), "t", JSON.stringify("x".repeat(900_000))),
		);
		await log.log.append(large.map((event) => ({ event, decisions: [] })));
		expect(await log.log.get(large[3]?.id ?? "")).toMatchObject({ event: large[3] });
	});

	test("that fails leaves nothing known", async () => {
		const log = newLog();
		await runInDurableObject(log.log, async (instance, { storage }) => {
			storage.sql.exec(
				"CREATE TRIGGER broken BEFORE INSERT ON segments BEGIN SELECT RAISE(ABORT, 'full'); END",
			);
			await expect(instance.append([{ event: event(log, "1"), decisions: [] }])).rejects.toThrow("full");
			storage.sql.exec("DROP TRIGGER broken");
		});
		expect(await log.log.append([{ event: event(log, "1"), decisions: [] }])).toEqual([null]);
	});
});

describe("get", () => {
	test("finds an event with its data as it came, and its decisions", async () => {
		const log = newLog();
		const odd = event(log, "1", "t", '{"b": 9007199254740993,\n"a": 1.0e2}');
		await log.log.append([
			{ event: event(log, "0"), decisions: [] },
			{ event: odd, decisions: [decision("a")] },
		]);
		expect(await log.log.get(odd.id)).toMatchObject({ event: odd, decisions: [decision("a")] });
		expect(await log.log.get(event(log, "missing").id)).toBeNull();
	});
});

describe("list", () => {
	test("goes page by page from the newest to the oldest", async () => {
		const log = newLog();
		for (const ids of [["1", "2", "3"], ["4"], ["5", "6"]]) {
			await log.log.append(ids.map((id) => ({ event: event(log, id), decisions: [] })));
		}
		const seen: string[] = [];
		let before = Number.MAX_SAFE_INTEGER;
		for (let page = 0; page < 4; page++) {
			const { items: entries } = await log.log.list({ limit: 2, before });
			seen.push(...entries.map(({ event }) => event.attributes.id));
			before = entries.at(-1)?.position ?? 0;
		}
		expect(seen).toEqual(["6", "5", "4", "3", "2", "1"]);
	});

	test.each([
		["document.inserted", ["3", "1"]],
		["document.*", ["3", "2", "1"]],
		["*", ["4", "3", "2", "1"]],
		['in"voice', ["4"]],
		["document", []],
	])("of type %s", async (type, ids) => {
		const log = newLog();
		const types = ["document.inserted", "document.deleted", "document.inserted", 'in"voice'];
		await log.log.append(
			types.map((type, index) => ({ event: event(log, String(index + 1), type), decisions: [] })),
		);
		expect((await log.log.list({ type, limit: 10 })).items.map(({ event }) => event.attributes.id)).toEqual(
			ids,
		);
	});

	test("between two moments", async () => {
		const log = newLog();
		const start = 1_790_000_000_000;
		for (const [index, id] of ["1", "2", "3"].entries()) {
			vi.setSystemTime(start + index * 1000);
			await log.log.append([{ event: event(log, id), decisions: [] }]);
		}
		const { items: between } = await log.log.list({ since: start + 1000, until: start + 2000, limit: 10 });
		expect(between.map(({ event }) => event.attributes.id)).toEqual(["2"]);
	});
});

test("a search through many events looks at a part of them at a time, and misses nothing", async () => {
	const log = newLog();
	await log.log.append([{ event: event(log, "sought", "rare"), decisions: [] }]);
	const text = JSON.stringify("x".repeat(900_000));
	for (let count = 0; count < 40; count++) {
		await log.log.append([{ event: event(log, String(count), "common", text), decisions: [] }]);
	}
	const found: string[] = [];
	const looks: number[] = [];
	for (let rest: number | null = Number.MAX_SAFE_INTEGER; rest !== null && looks.length < 20;) {
		looks.push(rest);
		const slice: Slice<LogEntry> = await log.log.list({ type: "rare", before: rest, limit: 10 });
		found.push(...slice.items.map(({ event }) => event.attributes.id));
		rest = slice.rest;
	}
	expect(found).toEqual(["sought"]);
	expect(looks.length).toBeGreaterThan(1);
});

describe("events too large for the queue", () => {
	test("wait under their key, once, until they are dropped", async () => {
		const log = newLog();
		const segments = [encodeSegment([event(log, "1")]), encodeSegment([event(log, "2")])];
		await log.log.spill("key", segments);
		await log.log.spill("key", segments);
		expect(await log.log.readSpilled("key")).toEqual(segments);
		expect((await log.log.list({ limit: 10 })).items).toEqual([]);
		await log.log.dropSpilled("key");
		expect(await log.log.readSpilled("key")).toEqual([]);
	});
});

test("an event that comes again after it was forgotten is new", async () => {
	const log = newLog();
	const start = Date.now();
	const old = event(log, "old");
	vi.setSystemTime(start - 8 * 86_400_000);
	await log.log.append([{ event: old, decisions: [decision("a")] }]);
	vi.setSystemTime(start);
	await runDurableObjectAlarm(log.log);
	expect(await log.log.append([{ event: old, decisions: [decision("b")] }])).toEqual([null]);
	expect(await log.log.get(old.id)).toMatchObject({ decisions: [decision("b")] });
});

test("many decisions are spread over rows that SQLite can hold", async () => {
	const log = newLog();
	const decisions = Array.from({ length: 150 }, (_, index) => decision(`${index}`.padStart(60, "x")));
	const events = Array.from({ length: 100 }, (_, index) => event(log, String(index)));
	await log.log.append(events.map((event) => ({ event, decisions })));
	await runInDurableObject(log.log, (_, { storage }) => {
		const { longest } = storage.sql
			.exec<{ longest: number }>(
				"SELECT max(length(ids) + length(segment) + length(decisions)) AS longest FROM segments",
			)
			.one();
		expect(longest).toBeLessThan(2_000_000);
	});
	expect((await log.log.list({ limit: 200 })).items).toHaveLength(100);
});

test("events are forgotten after a week, and the alarm then rests", async () => {
	const log = newLog();
	const start = Date.now();
	vi.setSystemTime(start - 8 * 86_400_000);
	await log.log.append([{ event: event(log, "old"), decisions: [] }]);
	vi.setSystemTime(start);
	await log.log.append([{ event: event(log, "new"), decisions: [] }]);
	await runDurableObjectAlarm(log.log);
	expect((await log.log.list({ limit: 10 })).items.map(({ event }) => event.attributes.id)).toEqual(["new"]);
	expect(await runInDurableObject(log.log, (_, { storage }) => storage.getAlarm())).not.toBeNull();
	vi.setSystemTime(start + 8 * 86_400_000);
	await runDurableObjectAlarm(log.log);
	expect(await runInDurableObject(log.log, (_, { storage }) => storage.getAlarm())).toBeNull();
});

test("a sweep that comes to no end is not the last one", async () => {
	const log = newLog();
	const start = Date.now();
	vi.setSystemTime(start - 8 * 86_400_000);
	await log.log.append([{ event: event(log, "old"), decisions: [] }]);
	vi.setSystemTime(start);
	const whileSweeping = await runInDurableObject(log.log, async (_, context) => {
		const { storage } = context;
		// As the platform has it when it wakes the object.
		await storage.deleteAlarm();
		const alarms: Promise<number | null>[] = [];
		const exec = storage.sql.exec.bind(storage.sql);
		const sweeping = vi.spyOn(storage.sql, "exec").mockImplementation((sql, ...bindings) => {
			if (!sql.startsWith("DELETE FROM segments")) return exec(sql, ...bindings);
			alarms.push(storage.getAlarm());
			throw new Error("the CPU is used up");
		});
		await new EventLog(context, env).alarm();
		sweeping.mockRestore();
		return Promise.all(alarms);
	});
	expect(whileSweeping).toEqual([expect.any(Number)]);
	await runDurableObjectAlarm(log.log);
	expect((await log.log.list({ limit: 10 })).items).toEqual([]);
});

test("when room is short, the oldest events go before their time, and soon", async () => {
	const log = newLog();
	await log.log.append([{ event: event(log, "old"), decisions: [] }]);
	const alarm = () => runInDurableObject(log.log, (_, { storage }) => storage.getAlarm());
	expect(await alarm()).toBeGreaterThan(Date.now() + 3_600_000);
	await runInDurableObject(log.log, (_, { storage }) => {
		Object.defineProperty(storage.sql, "databaseSize", { configurable: true, value: 9_000_000_000 });
	});
	await log.log.append([{ event: event(log, "new"), decisions: [] }]);
	expect(await alarm()).toBeLessThan(Date.now() + 60_000);
	await runDurableObjectAlarm(log.log);
	expect((await log.log.list({ limit: 10 })).items).toEqual([]);
});

describe("rows written by a newer release", () => {
	test("does not stop the log: it is not listed, not found, and its events count as new", async () => {
		const log = newLog();
		const [theirs, ours] = [event(log, "1"), event(log, "2")];
		await log.log.append([{ event: theirs, decisions: [decision("a")] }]);
		await runInDurableObject(log.log, (_, { storage }) => {
			storage.sql.exec("UPDATE segments SET segment = '{\"v\":9}', decisions = '{}'");
		});
		await log.log.append([{ event: ours, decisions: [decision("b")] }]);
		expect((await log.log.list({ limit: 10 })).items.map(({ event }) => event.id)).toEqual([ours.id]);
		expect(await log.log.get(theirs.id)).toBeNull();
		expect(await appendSome(env, log.sourceId, [{ event: theirs, decisions: [decision("c")] }])).toEqual([
			null,
		]);
		expect((await log.log.get(theirs.id))?.decisions).toEqual([decision("c")]);
	});
});

describe("a response that would be too large", () => {
	test("ends early, and asking for the rest brings all of it", async () => {
		const log = newLog();
		const decisions = Array.from({ length: 4_000 }, (_, index) => decision(String(index)));
		const entries = Array.from({ length: 12 }, (_, index) => ({
			event: event(log, String(index)),
			decisions,
		}));
		for (const entry of entries) await log.log.append([entry], true);
		const asked = entries.map(({ event }) => ({ event, decisions: [] }));
		const known: unknown[] = [];
		let calls = 0;
		while (known.length < asked.length && calls < 20) {
			known.push(...(await appendSome(env, log.sourceId, asked.slice(known.length))));
			calls += 1;
		}
		expect(calls).toBeGreaterThan(1);
		expect(known).toHaveLength(12);
		for (const first of known) expect(first).toMatchObject({ decisions });
	});
});

/** Pretends that so much waits, in bytes, in an object of so many bytes. */
async function pretend(log: Log, waiting: number, size: number): Promise<void> {
	await runInDurableObject(log.log, (_, { storage }) => {
		const prototype = Object.getPrototypeOf(storage.sql) as SqlStorage;
		const exec = storage.sql.exec.bind(storage.sql);
		vi.spyOn(prototype, "databaseSize", "get").mockReturnValue(size);
		vi.spyOn(prototype, "exec").mockImplementation((sql, ...bindings) =>
			sql.includes("octet_length") ? exec(`SELECT ${waiting} AS bytes`) : exec(sql, ...bindings),
		);
	});
}
describe("events that wait to be routed", () => {
	afterEach(() => {
		vi.restoreAllMocks();
	});

	test("take no room from the history", async () => {
		const log = newLog();
		await log.log.append([{ event: event(log, "1"), decisions: [] }]);
		await pretend(log, 900_000_000, 8_800_000_000);
		await runDurableObjectAlarm(log.log);
		expect((await log.log.list({ limit: 5 })).items).toHaveLength(1);
		vi.restoreAllMocks();
		await pretend(log, 100_000_000, 8_800_000_000);
		await runDurableObjectAlarm(log.log);
		expect((await log.log.list({ limit: 5 })).items).toHaveLength(0);
	});

	test("are refused when there is no room left for them, and the history goes on", async () => {
		const log = newLog();
		await pretend(log, 1_000_000_001, 2_000_000_000);
		await runInDurableObject(log.log, async (instance) => {
			await expect(instance.spill("key", ["segment"])).rejects.toThrow(/wait to be routed/);
		});
		expect(await log.log.readSpilled("key")).toEqual([]);
		expect(await log.log.append([{ event: event(log, "1"), decisions: [] }])).toEqual([null]);
	});

	test("are forgotten when no message can refer to them any more", async () => {
		const log = newLog();
		await log.log.spill("old", ["segment"]);
		await log.log.spill("young", ["segment"]);
		await runInDurableObject(log.log, (_, { storage }) => {
			storage.sql.exec("UPDATE spilled SET stored_at = ? WHERE key = 'old'", Date.now() - 46 * 86_400_000);
		});
		await runDurableObjectAlarm(log.log);
		expect(await log.log.readSpilled("old")).toEqual([]);
		expect(await log.log.readSpilled("young")).toEqual(["segment"]);
	});
});
