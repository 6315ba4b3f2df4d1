/**
 * The D1 schema and its migrations: additive steps, counted in a row of `meta`. The first query on a database runs
 * them, so that a deploy needs no migration command. No resource queries here.
 */
import type { Env } from "../env.ts";

/**
 * Step n brings a database from version n to n + 1. A released step never changes. Later changes are new steps, and
 * running Workers of the previous version must work with them (new tables, columns, indexes).
 */
const STEPS: readonly (readonly string[])[] = [
	[
		`CREATE TABLE IF NOT EXISTS sources (
			id TEXT PRIMARY KEY,
			name TEXT NOT NULL UNIQUE,
			kind TEXT NOT NULL,
			description TEXT,
			auth TEXT NOT NULL,
			event_type TEXT,
			subject TEXT,
			dedupe_key TEXT,
			settings TEXT NOT NULL,
			secrets TEXT NOT NULL,
			status TEXT NOT NULL,
			created_at INTEGER NOT NULL,
			updated_at INTEGER NOT NULL
		) STRICT, WITHOUT ROWID`,
		`CREATE TABLE IF NOT EXISTS endpoints (
			id TEXT PRIMARY KEY,
			name TEXT NOT NULL,
			version TEXT NOT NULL,
			url TEXT NOT NULL,
			protocol TEXT NOT NULL,
			auth TEXT NOT NULL,
			headers TEXT NOT NULL,
			timeout_seconds INTEGER NOT NULL,
			max_concurrency INTEGER NOT NULL,
			retry TEXT NOT NULL,
			signing_secrets TEXT NOT NULL,
			status TEXT NOT NULL,
			status_reason TEXT,
			created_at INTEGER NOT NULL,
			updated_at INTEGER NOT NULL,
			UNIQUE (name, version)
		) STRICT, WITHOUT ROWID`,
		`CREATE TABLE IF NOT EXISTS subscriptions (
			id TEXT PRIMARY KEY,
			name TEXT NOT NULL UNIQUE,
			source_id TEXT,
			types TEXT NOT NULL,
			filters TEXT NOT NULL,
			endpoint_id TEXT,
			latest_of TEXT,
			transform TEXT,
			result TEXT,
			enabled INTEGER NOT NULL,
			created_at INTEGER NOT NULL,
			updated_at INTEGER NOT NULL
		) STRICT, WITHOUT ROWID`,
		"CREATE INDEX IF NOT EXISTS sources_by_age ON sources (created_at, id)",
		"CREATE INDEX IF NOT EXISTS endpoints_by_age ON endpoints (created_at, id)",
		"CREATE INDEX IF NOT EXISTS subscriptions_by_age ON subscriptions (created_at, id)",
		"CREATE INDEX IF NOT EXISTS subscriptions_by_source ON subscriptions (source_id)",
		"CREATE INDEX IF NOT EXISTS subscriptions_by_endpoint ON subscriptions (endpoint_id)",
		"CREATE INDEX IF NOT EXISTS subscriptions_by_latest ON subscriptions (latest_of)",
		"INSERT OR IGNORE INTO meta (key, value) VALUES ('routing_version', 0)",
	],
	[
		// Counts the changes of a row, to detect changes based on an older read.
		"ALTER TABLE sources ADD COLUMN revision INTEGER NOT NULL DEFAULT 1",
		"ALTER TABLE endpoints ADD COLUMN revision INTEGER NOT NULL DEFAULT 1",
		"ALTER TABLE subscriptions ADD COLUMN revision INTEGER NOT NULL DEFAULT 1",
		// Which expression is set aside, and why; JSON.
		"ALTER TABLE sources ADD COLUMN quarantine TEXT",
		"ALTER TABLE subscriptions ADD COLUMN quarantine TEXT",
		// Ids of deleted rows. An id that is neither here nor in its table is lost, not deleted.
		"CREATE TABLE IF NOT EXISTS deleted (id TEXT PRIMARY KEY, deleted_at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
	],
	[
		// Host names that requests to the router have used.
		"CREATE TABLE IF NOT EXISTS own_hosts (host TEXT PRIMARY KEY, learnt_at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
	],
	[
		// The token of a publisher's first request, sealed, until it is read (verification-token.ts).
		"ALTER TABLE sources ADD COLUMN verification_token TEXT",
		"ALTER TABLE sources ADD COLUMN verification_token_until INTEGER",
		// When the source first verified a request; kept only if such a token is expected.
		"ALTER TABLE sources ADD COLUMN verified_at INTEGER",
	],
	[
		// The server's name of the model.
		"ALTER TABLE endpoints ADD COLUMN model TEXT",
	],
	[
		// The configured completion; sealed JSON.
		"ALTER TABLE endpoints ADD COLUMN completion TEXT",
	],
	[
		// API keys, as SHA-256 hashes (access/keys.ts).
		`CREATE TABLE IF NOT EXISTS api_keys (
			id TEXT PRIMARY KEY,
			name TEXT NOT NULL UNIQUE,
			role TEXT NOT NULL,
			scope TEXT NOT NULL,
			hash TEXT NOT NULL,
			expires_at INTEGER,
			last_used_at INTEGER,
			created_at INTEGER NOT NULL
		) STRICT, WITHOUT ROWID`,
		// Who changed what, ordered by time.
		`CREATE TABLE IF NOT EXISTS audit (
			created_at INTEGER NOT NULL,
			id TEXT NOT NULL,
			actor_id TEXT NOT NULL,
			actor TEXT NOT NULL,
			action TEXT NOT NULL,
			resource TEXT NOT NULL,
			resource_id TEXT NOT NULL,
			name TEXT,
			before TEXT,
			after TEXT,
			request_id TEXT,
			PRIMARY KEY (created_at, id)
		) STRICT, WITHOUT ROWID`,
		// The approval state of a subscription that is not enabled: requested, denied, or null.
		"ALTER TABLE subscriptions ADD COLUMN request_state TEXT",
	],
	[
		// How often the source is expected to send events.
		"ALTER TABLE sources ADD COLUMN expect_every_seconds INTEGER",
	],
	[
		// Responses by the Idempotency-Key of their requests; sealed, and null while the request runs (access/idempotency.ts).
		`CREATE TABLE IF NOT EXISTS idempotency (
			principal_id TEXT NOT NULL,
			key TEXT NOT NULL,
			fingerprint TEXT NOT NULL,
			claim TEXT NOT NULL,
			response TEXT,
			created_at INTEGER NOT NULL,
			PRIMARY KEY (principal_id, key)
		) STRICT, WITHOUT ROWID`,
		"CREATE INDEX IF NOT EXISTS idempotency_by_age ON idempotency (created_at)",
	],
	[
		// The entries of one actor, which have a separate limit.
		"CREATE INDEX IF NOT EXISTS audit_by_actor ON audit (actor_id, created_at, id)",
	],
	[
		// 1: the source's events are tests. null, for sources from before this step: they are not.
		"ALTER TABLE sources ADD COLUMN is_test INTEGER",
	],
];

/**
 * Databases known to be up to date. Stores the outcome and not the promise: a request that waits for another request's
 * promise hangs if that request is cancelled. Concurrent requests each check once.
 */
const upToDate = new WeakSet<D1Database>();

/** Creates or migrates the tables unless this isolate knows that they are current. Safe to run concurrently. */
export async function ensureSchema({ DB }: Pick<Env, "DB">): Promise<void> {
	if (upToDate.has(DB)) return;
	for (let version = await readVersion(DB); version < STEPS.length; version++) {
		await runStep(DB, version);
	}
	upToDate.add(DB);
}

/**
 * Runs `work` on a database with a current schema. If the database was emptied or restored to an earlier schema in the
 * meantime, migrates it and runs `work` again; its single batch or statement had no effect the first time. An invalid
 * query fails immediately.
 */
export async function withSchema<T>(env: Pick<Env, "DB">, work: (db: D1Database) => Promise<T>): Promise<T> {
	await ensureSchema(env);
	try {
		return await work(env.DB);
	} catch (error) {
		if (!(await isBehind(env.DB, String(error)))) throw error;
		upToDate.delete(env.DB);
		await ensureSchema(env);
		return work(env.DB);
	}
}

/**
 * Returns whether a query may have failed because of a missing step, judged by SQLite's message, which D1 passes on.
 */
async function isBehind(db: D1Database, message: string): Promise<boolean> {
	if (message.includes("no such table")) return true;
	return /no such column|has no column named/.test(message) && (await readVersion(db)) < STEPS.length;
}

/** Returns how many steps the database has run: 0 for a new one. */
async function readVersion(db: D1Database): Promise<number> {
	const [, found] = await db.batch<{ value: number }>([
		db.prepare(
			"CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
		),
		db.prepare("SELECT value FROM meta WHERE key = 'schema_version'"),
	]);
	return found?.results[0]?.value ?? 0;
}

/** Runs a step in one transaction. If another isolate has already run it, does nothing. */
async function runStep(db: D1Database, version: number): Promise<void> {
	const statements = STEPS[version] ?? [];
	try {
		await db.batch([
			...statements.map((sql) => db.prepare(sql)),
			db
				.prepare(
					`INSERT INTO meta (key, value) VALUES ('schema_version', ?1)
					ON CONFLICT (key) DO UPDATE SET value = max(value, ?1)`,
				)
				.bind(version + 1),
		]);
	} catch (error) {
		if ((await readVersion(db)) <= version) throw error;
	}
}
