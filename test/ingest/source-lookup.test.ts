import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Env } from "../../src/env.ts";
import { forgetSource, lookUpSource, nextStep, type Step } from "../../src/ingest/source-lookup.ts";
import type { ReadableSource } from "../../src/store/records.ts";
import { cacheSource, readCachedSource, uncacheSource } from "../../src/store/views/source-cache.ts";
import { MAX_LISTED } from "../../src/ingest/source-list.ts";
import { deleteSource, insertSource, readSourceRefs } from "../../src/store/resources/sources.ts";
import { makeSource } from "../sources/make-source.ts";

const NOW = Date.now();

/** Bindings that fail when touched show where an answer cannot have come from. */
const withoutD1: Env = { ...env, DB: broken("D1") as D1Database };
const withoutKv: Env = { ...env, SOURCES: broken("KV") as KVNamespace };
const inMemoryOnly: Env = { ...withoutD1, SOURCES: broken("KV") as KVNamespace };

function broken(name: string): unknown {
	const fail = (): never => {
		throw new Error(`${name} was asked`);
	};
	return new Proxy({}, { get: () => fail });
}

async function lookUp(from: Env, ref: string, now = NOW): ReturnType<typeof lookUpSource> {
	const ctx = createExecutionContext();
	const source = await lookUpSource(from, ctx, ref, now);
	await waitOnExecutionContext(ctx);
	return source;
}

/** As the API does it, in this isolate. */
async function stored(changes: Partial<ReadableSource> = {}): Promise<ReadableSource> {
	const source = makeSource(changes);
	await insertSource(env, source);
	forgetSource(source);
	return source;
}

/** The bindings, and what they have been asked since. */
function counted(): { env: Env; asked: { kv: number; list: number; row: number; writes: number } } {
	const asked = { kv: 0, list: 0, row: 0, writes: 0 };
	const DB: Pick<D1Database, "prepare" | "batch"> = {
		prepare(sql) {
			if (sql.includes("LEFT JOIN sources")) asked.list++;
			else if (sql.includes("FROM sources WHERE")) asked.row++;
			return env.DB.prepare(sql);
		},
		batch: (statements) => env.DB.batch(statements),
	};
	const get = (...args: Parameters<KVNamespace["get"]>): unknown => {
		asked.kv++;
		return env.SOURCES.get(...args);
	};
	const put = (...args: Parameters<KVNamespace["put"]>): Promise<void> => {
		asked.writes++;
		return env.SOURCES.put(...args);
	};
	const SOURCES = { get, put } as unknown as KVNamespace;
	return { env: { ...env, DB: DB as D1Database, SOURCES }, asked };
}

const secrets = [
	{ value: "new-secret", createdAt: 2, expiresAt: null },
	{ value: "old-secret", createdAt: 1, expiresAt: 3 },
];

test.each(["id", "name"] as const)("by %s: first from D1, then from KV, then from memory", async (field) => {
	const source = await stored({ secrets, auth: { type: "header", name: "x-key" }, eventType: "t" });
	const ref = source[field];
	const found = await lookUp(env, ref);
	expect(found).toMatchObject({
		id: source.id,
		name: source.name,
		secrets,
		auth: source.auth,
		eventType: "t",
	});
	expect(await lookUp(inMemoryOnly, ref, NOW + 9_999)).toEqual(found);
	expect(await lookUp(withoutD1, ref, NOW + 10_001)).toEqual(found);
});

test("a change in this isolate is seen at once", async () => {
	const source = await stored();
	await cacheSource(env, source);
	await lookUp(withoutD1, source.name);
	await cacheSource(env, { ...source, status: "paused" });
	expect(await lookUp(withoutD1, source.name)).toMatchObject({ status: "active" });
	forgetSource(source);
	expect(await lookUp(withoutD1, source.name)).toMatchObject({ status: "paused" });
});

/** As when the API's own write to KV has failed. */
async function changeRow(sql: string, { id }: ReadableSource): Promise<void> {
	await env.DB.prepare(sql).bind(id).run();
}

function never(): Promise<never> {
	return new Promise(() => undefined);
}

describe("a copy of more than five minutes", () => {
	const later = NOW + 300_001;

	/** A source whose copy was made at `NOW`, and is not remembered. */
	async function copied(): Promise<ReadableSource> {
		const source = await stored({ secrets, auth: { type: "header", name: "x-key" } });
		await cacheSource(env, source, NOW);
		return source;
	}

	test("serves for hours while D1 fails, which is asked every ten seconds", async () => {
		const source = await copied();
		let asked = 0;
		const fail = (): never => {
			asked++;
			throw new Error("D1 is down");
		};
		const down: Env = { ...env, DB: new Proxy({}, { get: () => fail }) as D1Database };
		for (const ref of [source.id, source.name]) {
			asked = 0;
			for (let at = later; at <= NOW + 23 * 3_600_000; at += 3_600_000)
				expect(await lookUp(down, ref, at)).toEqual(source);
			expect(asked).toBe(23);
			for (let at = 1; at < 10; at++) await lookUp(down, ref, later + 22 * 3_600_000 + at * 1_000);
			expect(asked).toBe(23);
		}
	});

	test("serves while D1 says nothing", async () => {
		const source = await copied();
		const statement = { bind: () => statement, first: never, raw: never, all: never };
		const DB = { prepare: () => statement, batch: never } as unknown as D1Database;
		expect(await lookUpSource({ ...env, DB }, createExecutionContext(), source.name, later)).toEqual(source);
	});

	test("is written once when many requests find it too old at the same time", async () => {
		const source = await copied();
		const { env: counting, asked } = counted();
		const found = await Promise.all(Array.from({ length: 20 }, () => lookUp(counting, source.name, later)));
		expect(found).toEqual(Array.from({ length: 20 }, () => source));
		expect(asked).toMatchObject({ writes: 2 });
	});

	test("is replaced by what D1 has, once for many requests", async () => {
		const source = await copied();
		await changeRow("UPDATE sources SET description = 'changed' WHERE id = ?", source);
		const { env: counting, asked } = counted();
		for (let request = 0; request < 20; request++)
			expect(await lookUp(counting, source.name, later)).toMatchObject({ description: "changed" });
		expect(asked).toEqual({ kv: 1, list: 0, row: 1, writes: 2 });
		expect(await lookUp(withoutD1, source.id, later + 299_999)).toMatchObject({ description: "changed" });
	});

	test("of a source that has been deleted is deleted, and not found when D1 fails later", async () => {
		const source = await copied();
		await changeRow("DELETE FROM sources WHERE id = ?", source);
		expect(await lookUp(env, source.name, later)).toBeNull();
		for (const ref of [source.name, source.id]) {
			expect(await env.SOURCES.get(`source/${ref}`)).toBeNull();
			await expect(lookUp(withoutD1, ref, later + 10_000)).rejects.toThrow("D1 was asked");
		}
	});

	test("is not remembered when the source is changed while D1 is asked", async () => {
		const source = await copied();
		const reading = {
			bind: (ref: string) => ({
				first: async () => {
					const row = await env.DB.prepare("SELECT * FROM sources WHERE id = ?").bind(ref).first();
					forgetSource(source);
					return row;
				},
			}),
		};
		const prepare = (sql: string) => (sql.includes("FROM sources WHERE") ? reading : env.DB.prepare(sql));
		const DB = { prepare, batch: env.DB.batch.bind(env.DB) } as unknown as D1Database;
		expect(await lookUp({ ...env, DB }, source.id, later)).toMatchObject({ description: null });
		await changeRow("UPDATE sources SET description = 'changed' WHERE id = ?", source);
		expect(await lookUp(withoutKv, source.id, later)).toMatchObject({ description: "changed" });
	});

	test("and one of release 0.1, which does not contain its age, expires", async () => {
		const source = await copied();
		const { readAt: _, ...former } = JSON.parse((await env.SOURCES.get(`source/${source.id}`)) ?? "") as {
			readAt: number;
		};
		await env.SOURCES.put(`source/${source.id}`, JSON.stringify(former));
		expect(await lookUp(withoutD1, source.id, later)).toEqual(source);
	});

	test("is kept for a day", async () => {
		const puts: unknown[] = [];
		const SOURCES = { put: async (...args: unknown[]) => void puts.push(args[2]) } as unknown as KVNamespace;
		await cacheSource({ ...env, SOURCES }, makeSource());
		expect(puts).toEqual([{ expirationTtl: 86_400 }, { expirationTtl: 86_400 }]);
	});
});

describe("an unknown name", () => {
	test("is one for two seconds, and no longer", async () => {
		const source = makeSource();
		expect(await lookUp(env, source.name)).toBeNull();
		await insertSource(env, source);
		expect(await lookUp(env, source.name, NOW + 1_999)).toBeNull();
		expect(await lookUp(env, source.name, NOW + 2_001)).toMatchObject({ id: source.id });
	});

	test("is found at once when it is made in this isolate", async () => {
		const source = makeSource();
		expect(await lookUp(env, source.name)).toBeNull();
		await insertSource(env, source);
		forgetSource(source);
		expect(await lookUp(env, source.name)).toMatchObject({ id: source.id });
	});

	test("costs nothing when there were 10,000 others", async () => {
		const source = await stored();
		const { env: counting, asked } = counted();
		for (let name = 0; name < 10_000; name++) {
			expect(await lookUpSource(counting, createExecutionContext(), `nobody-${name}`, NOW)).toBeNull();
		}
		expect(asked).toMatchObject({ kv: 1, list: 1, row: 0 });
		const later = NOW + 2_001;
		for (let name = 0; name < 100; name++) expect(await lookUp(counting, `no-${name}`, later)).toBeNull();
		expect(asked).toMatchObject({ kv: 1, list: 2, row: 0 });
		expect(await lookUp(counting, source.name, later)).toMatchObject({ id: source.id });
		expect(asked).toMatchObject({ kv: 2, list: 2, row: 1 });
	});

	test("asked for a hundred times at once, reads the list once", async () => {
		await stored();
		const { env: counting, asked } = counted();
		const names = Array.from({ length: 100 }, (_, index) => `nobody-${index}`);
		const found = await Promise.all(names.map((name) => lookUp(counting, name)));
		expect(new Set(found)).toEqual(new Set([null]));
		expect(asked).toMatchObject({ list: 1, row: 0 });
	});

	test("is not said to be one while D1 cannot be asked, and D1 is asked every two seconds", async () => {
		const known = await stored();
		await cacheSource(env, known);
		let asked = 0;
		const fail = (): never => {
			asked++;
			throw new Error("D1 is down");
		};
		const down: Env = { ...env, DB: new Proxy({}, { get: () => fail }) as D1Database };
		for (let name = 0; name < 20; name++)
			await expect(lookUp(down, `no-${name}`)).rejects.toThrow("D1 is down");
		expect(asked).toBe(1);
		await expect(lookUp(down, "no-21", NOW + 2_001)).rejects.toThrow("D1 is down");
		expect(asked).toBe(2);
		expect(await lookUp(down, known.name)).toMatchObject({ id: known.id });
	});

	test("has a copy in KV that the list does not know yet: while D1 is down, that counts", async () => {
		await stored();
		const { name } = makeSource();
		expect(await lookUp(env, name)).toBeNull();
		await cacheSource(env, makeSource({ name }));
		expect(await lookUp(withoutD1, name, NOW + 60_000)).toMatchObject({ name });
	});

	test("was that of a source until it was deleted elsewhere", async () => {
		const source = await stored();
		expect(await lookUp(env, "nobody")).toBeNull();
		await deleteSource(env, source.id);
		const { env: counting, asked } = counted();
		expect(await lookUp(counting, source.name)).toBeNull();
		expect(await lookUp(counting, source.name)).toBeNull();
		expect(asked).toMatchObject({ kv: 1, list: 0, row: 1 });
		expect(await lookUp(counting, source.id)).toBeNull();
		expect(asked).toMatchObject({ kv: 2, list: 1, row: 1 });
	});
});

test.each([
	"api",
	"results",
	"sluice",
	"src_api",
	"x".repeat(65),
	"a%2Fb",
	"a%20b",
	"%61bc",
	".well-known",
	"é",
	"a\u0000",
	"",
])("%j can be no source, and nothing is asked", async (ref) => {
	expect(await lookUp(inMemoryOnly, ref)).toBeNull();
});

describe("the list", () => {
	test("costs one row while nothing has changed", async () => {
		const source = await stored();
		const first = await readSourceRefs(env, null, 10_000);
		expect(first?.refs).toContainEqual([source.id, source.name]);
		expect(await readSourceRefs(env, first?.version ?? 0, 10_000)).toBeNull();
		await deleteSource(env, source.id);
		const next = await readSourceRefs(env, first?.version ?? 0, 10_000);
		expect(next?.refs).not.toContainEqual([source.id, source.name]);
	});

	test("that a database without a version gives fails, and is not asked for without end", async () => {
		await stored();
		const empty = { bind: () => ({ raw: async () => [] }) };
		const prepare = (sql: string) => (sql.includes("LEFT JOIN") ? empty : env.DB.prepare(sql));
		const DB = { prepare, batch: env.DB.batch.bind(env.DB) } as unknown as D1Database;
		await expect(lookUp({ ...env, DB }, "nobody")).rejects.toThrow("routing_version");
	});

	test("does not exist with more than 100,000 sources: each name is looked up individually, every two seconds", async () => {
		const columns = "id, name, kind, auth, settings, secrets, status, created_at, updated_at";
		const values = "'src_' || n, 'many-' || n, 'generic', '{\"type\":\"none\"}', '{}', '[]', 'active', n, n";
		await env.DB.prepare(
			`WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MAX_LISTED})
			INSERT INTO sources (${columns}) SELECT ${values} FROM numbers`,
		).run();
		forgetSource(makeSource());
		const { env: counting, asked } = counted();
		for (const name of ["nobody-1", "nobody-2", "nobody-2"]) expect(await lookUp(counting, name)).toBeNull();
		expect(asked).toMatchObject({ kv: 2, list: 1, row: 2 });
		await env.DB.prepare("DELETE FROM sources WHERE name LIKE 'many-%'").run();
	});
});

type Asked = Parameters<typeof nextStep>[1];

test.each<[list: Parameters<typeof nextStep>[0], asked: Partial<Asked>, step: Step]>([
	[null, {}, "copy"],
	[null, { copyAsked: true }, "list"],
	[null, { copyAsked: true, listFailed: true }, "unavailable"],
	[{ listed: true, isFresh: true }, {}, "copy"],
	[{ listed: true, isFresh: false }, {}, "copy"],
	[{ listed: true, isFresh: true }, { copyAsked: true }, "row"],
	[{ listed: true, isFresh: false }, { copyAsked: true }, "row"],
	[{ listed: false, isFresh: true }, {}, "unknown"],
	[{ listed: false, isFresh: true }, { copyAsked: true }, "unknown"],
	[{ listed: false, isFresh: false }, {}, "list"],
	[{ listed: false, isFresh: false }, { listFailed: true }, "copy"],
	[{ listed: false, isFresh: false }, { copyAsked: true, listFailed: true }, "unavailable"],
])("the list says %j, and before was %j: next is %s", (list, asked, step) => {
	expect(nextStep(list, { copyAsked: false, listFailed: false, ...asked })).toBe(step);
});

test("without KV, D1 is read", async () => {
	const source = await stored();
	expect(await lookUp(withoutKv, source.name)).toMatchObject({ id: source.id });
});

test("a copy that was sealed with a lost key counts as none", async () => {
	const source = await stored({ auth: { type: "bearer" }, secrets });
	await cacheSource({ ...env, ADMIN_TOKEN: "former", ENCRYPTION_KEY: "lost" }, source);
	expect(await lookUp(env, source.name)).toMatchObject({ secrets });
});

describe("the copy in KV", () => {
	test("holds no secret in the clear", async () => {
		const source = makeSource({ secrets });
		await cacheSource(env, source);
		for (const ref of [source.id, source.name]) {
			const entry = await env.SOURCES.get(`source/${ref}`);
			expect(entry).toContain(source.name);
			expect(entry).not.toContain("-secret");
			expect((await readCachedSource(env, ref))?.source).toEqual(source);
		}
	});

	test("goes under both names", async () => {
		const source = makeSource();
		await cacheSource(env, source);
		await uncacheSource(env, source);
		expect(await env.SOURCES.get(`source/${source.id}`)).toBeNull();
		expect(await env.SOURCES.get(`source/${source.name}`)).toBeNull();
	});

	test.each([
		["no JSON", "x"],
		["another shape", '{"id":"src_1"}'],
	])("is refused when it is %s", async (_what, entry) => {
		const { name } = makeSource();
		await env.SOURCES.put(`source/${name}`, entry);
		await expect(readCachedSource(env, name)).rejects.toThrow();
	});
});
