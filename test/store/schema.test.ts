import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { ensureSchema, withSchema } from "../../src/store/schema.ts";

beforeEach(() => reset());

const TABLES = [
	"api_keys",
	"audit",
	"deleted",
	"endpoints",
	"idempotency",
	"meta",
	"own_hosts",
	"sources",
	"subscriptions",
];

async function tables(): Promise<string[]> {
	const { results } = await env.DB.prepare(
		"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name",
	).all<{ name: string }>();
	return results.map(({ name }) => name);
}

test("an empty database gets its tables and knows its version", async () => {
	await withSchema(env, (db) => db.prepare("SELECT 1 FROM meta").all());
	expect(await tables()).toEqual(TABLES);
	const { results } = await env.DB.prepare("SELECT key, value FROM meta ORDER BY key").all();
	expect(results).toEqual([
		{ key: "routing_version", value: 0 },
		{ key: "schema_version", value: 11 },
	]);
});

test("many isolates may set it up at once", async () => {
	// A wrapper of its own for each, since what is remembered belongs to the binding.
	const bindings = Array.from({ length: 8 }, () => ({ DB: wrap(env.DB) }));
	await Promise.all(bindings.map(ensureSchema));
	expect(await tables()).toEqual(TABLES);
});

test("data survives setting up again", async () => {
	const first = { DB: wrap(env.DB) };
	await ensureSchema(first);
	await env.DB.prepare("UPDATE meta SET value = 7 WHERE key = 'routing_version'").run();
	await ensureSchema({ DB: wrap(env.DB) });
	expect(await env.DB.prepare("SELECT value FROM meta WHERE key = 'routing_version'").first("value")).toBe(7);
});

test("a database that is up to date is not asked again", async () => {
	const queries: string[] = [];
	const counted = { DB: wrap(env.DB, (name) => queries.push(name)) };
	await ensureSchema(counted);
	const used = queries.length;
	expect(used).toBeGreaterThan(0);
	await ensureSchema(counted);
	expect(queries).toHaveLength(used);
});

test("a database that was emptied meanwhile is set up again", async () => {
	await withSchema(env, (db) => db.prepare("SELECT 1 FROM sources").all());
	await env.DB.batch(
		["sources", "endpoints", "subscriptions", "meta"].map((t) => env.DB.prepare(`DROP TABLE ${t}`)),
	);
	const found = await withSchema(env, (db) => db.prepare("SELECT * FROM sources").all());
	expect(found.results).toEqual([]);
});

test("a database that was restored to an earlier schema meanwhile is brought up again", async () => {
	await withSchema(env, (db) => db.prepare("SELECT 1 FROM sources").all());
	await env.DB.batch(
		[
			"ALTER TABLE sources DROP COLUMN revision",
			"ALTER TABLE sources DROP COLUMN quarantine",
			"ALTER TABLE endpoints DROP COLUMN revision",
			"ALTER TABLE endpoints DROP COLUMN model",
			"ALTER TABLE endpoints DROP COLUMN completion",
			"ALTER TABLE subscriptions DROP COLUMN revision",
			"ALTER TABLE subscriptions DROP COLUMN quarantine",
			"ALTER TABLE sources DROP COLUMN verification_token",
			"ALTER TABLE sources DROP COLUMN verification_token_until",
			"ALTER TABLE sources DROP COLUMN verified_at",
			"ALTER TABLE subscriptions DROP COLUMN request_state",
			"ALTER TABLE sources DROP COLUMN expect_every_seconds",
			"ALTER TABLE sources DROP COLUMN is_test",
			"DROP TABLE deleted",
			"UPDATE meta SET value = 1 WHERE key = 'schema_version'",
		].map((sql) => env.DB.prepare(sql)),
	);
	await withSchema(env, (db) => db.prepare("UPDATE sources SET revision = 2").run());
	expect(await tables()).toContain("deleted");
});

test("a query that is wrong in itself fails at once", async () => {
	await withSchema(env, (db) => db.prepare("SELECT 1 FROM sources").all());
	let runs = 0;
	const wrong = withSchema(env, (db) => {
		runs++;
		return db.prepare("SELECT no_such_column FROM sources").all();
	});
	await expect(wrong).rejects.toThrow("no such column");
	expect(runs).toBe(1);
});

/** The same database as another binding, as another isolate would have it. */
function wrap(db: D1Database, onCall: (name: string) => void = () => {}): D1Database {
	return new Proxy(db, {
		get(target, name) {
			const member: unknown = Reflect.get(target, name);
			if (typeof member !== "function") return member;
			onCall(String(name));
			return member.bind(target) as unknown;
		},
	});
}
