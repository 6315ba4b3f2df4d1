/** Sources in D1: rows to records and back, and the queries on them. */
import * as z from "zod";
import type { Env } from "../env.ts";
import { readColumn } from "./columns.ts";
import { rememberDeletion } from "./deleted.ts";
import { quarantineFromColumn, quarantineToColumn } from "./quarantine.ts";
import { liveSecretsSchema } from "../crypto/live-secret.ts";
import type { ReadableSource, Source } from "./records.ts";
import {
	type ListQuery,
	type ReadAs,
	type Row,
	type Update,
	bumpRoutingVersion,
	insertRow,
	listRows,
	revisionOf,
	updateRow,
} from "./rows.ts";
import { withSchema } from "./schema.ts";
import { hasSecret, sourceAuthSchema } from "./source-auth.ts";
import { AWAITING_VERIFICATION } from "./verification-token.ts";
import { open, seal } from "../crypto/seal.ts";

/** What may change in the life of a source. */
export type SourceChanges = Partial<Omit<ReadableSource, keyof ReadAs | "createdAt">>;

/** What the members mean, the source's kind says. */
export const settingsSchema = z.record(z.string(), z.unknown());

/** The word for a paused source is the one of release 0.1, whose Workers may read it during a deploy. */
export const STORED_STATUSES = ["active", "disabled"] as const;
type StoredStatus = (typeof STORED_STATUSES)[number];

interface SourceRow extends Row {
	id: string;
	name: string;
	kind: string;
	description: string | null;
	auth: string;
	event_type: string | null;
	subject: string | null;
	dedupe_key: string | null;
	/** Undefined before the schema step that adds it. */
	expect_every_seconds?: number | null;
	settings: string;
	secrets: string;
	status: string;
	revision?: number;
	/** Undefined before the schema step that adds it. */
	quarantine?: string | null;
	created_at: number;
	updated_at: number;
}

/** By `src_…` or by name; a name never begins with `src_`. Builtin sources have no row and are not found. */
export async function findSource(env: Env, ref: string): Promise<Source | null> {
	const row = await withSchema(env, (db) =>
		db.prepare("SELECT * FROM sources WHERE id = ?1 OR name = ?1").bind(ref).first<SourceRow>(),
	);
	return row === null ? null : fromRow(env, row);
}

/** The source that takes the messages of a queue of Cloudflare; of several the oldest. */
export async function findSourceOfQueue(env: Env, queue: string): Promise<Source | null> {
	const row = await withSchema(env, (db) =>
		db
			.prepare(
				"SELECT * FROM sources WHERE kind = 'r2' AND settings ->> '$.queue' = ? ORDER BY created_at, id LIMIT 1",
			)
			.bind(queue)
			.first<SourceRow>(),
	);
	return row === null ? null : fromRow(env, row);
}

export async function listSources(env: Env, query: ListQuery): Promise<Source[]> {
	const rows = await listRows<SourceRow>(env, "sources", query);
	return Promise.all(rows.map((row) => fromRow(env, row)));
}

/**
 * Ids and names of the first `limit` sources, and the version of the routing table that they belong to; null when that
 * is `known` still, which costs one row and not all.
 */
export async function readSourceRefs(
	env: Env,
	known: number | null,
	limit: number,
): Promise<{ version: number; refs: string[][] } | null> {
	const rows = await withSchema(env, (db) =>
		db
			.prepare(
				// In this order, because a left join reads its left side first: while the version is known, no source is read.
				`SELECT meta.value, sources.id, sources.name FROM meta LEFT JOIN sources ON true
				WHERE meta.key = 'routing_version' AND meta.value <> ? LIMIT ?`,
			)
			.bind(known ?? -1, limit)
			.raw<[version: number, id: string | null, name: string | null]>(),
	);
	const [first] = rows;
	if (first === undefined) return null;
	// Without any source there is one row, with neither an id nor a name.
	const refs = rows.map(([, ...ref]) => ref.filter((text) => text !== null));
	return { version: first[0], refs: refs.filter((ref) => ref.length > 0) };
}

/** The ids of those of `names` that exist. */
export async function readSourceIds(env: Env, names: readonly string[]): Promise<string[]> {
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(
				"SELECT id FROM sources WHERE name IN (SELECT value FROM json_each(?)) ORDER BY created_at, id",
			)
			.bind(JSON.stringify(names))
			.all<{ id: string }>(),
	);
	return results.map(({ id }) => id);
}

/** Names by id, of the ids that exist. */
export async function readSourceNames(env: Env, ids: readonly string[]): Promise<Map<string, string>> {
	const { results } = await withSchema(env, (db) =>
		db
			.prepare("SELECT id, name FROM sources WHERE id IN (SELECT value FROM json_each(?))")
			.bind(JSON.stringify(ids))
			.all<{ id: string; name: string }>(),
	);
	return new Map(results.map(({ id, name }) => [id, name]));
}

/** false when the name is taken. */
export async function insertSource(
	env: Env,
	{ id, createdAt, updatedAt, ...fields }: ReadableSource,
): Promise<boolean> {
	const columns = await toColumns(env, fields);
	const row = { id, ...columns, created_at: createdAt, updated_at: updatedAt };
	return (await insertRow(env, "sources", row)) === "inserted";
}

export async function updateSource(
	env: Env,
	former: ReadAs,
	changes: SourceChanges,
): Promise<Update<Source>> {
	const update = await updateRow<SourceRow>(env, "sources", former, await toColumns(env, changes));
	return update.outcome === "updated" ? { ...update, record: await fromRow(env, update.record) } : update;
}

/** Deletes it unless subscriptions name it; returns the names of those. */
export async function deleteSource(env: Env, id: string): Promise<{ usedBy: string[] }> {
	const isUsed = "EXISTS (SELECT 1 FROM subscriptions WHERE source_id = ?1)";
	const [using] = await withSchema(env, (db) =>
		db.batch<{ name: string }>([
			db.prepare("SELECT name FROM subscriptions WHERE source_id = ? ORDER BY name").bind(id),
			...rememberDeletion(db, id, isUsed),
			db.prepare(`DELETE FROM sources WHERE id = ?1 AND NOT ${isUsed}`).bind(id),
			bumpRoutingVersion(db),
		]),
	);
	return { usedBy: using?.results.map(({ name }) => name) ?? [] };
}

export function toStoredStatus(status: Source["status"]): StoredStatus {
	return status === "active" ? "active" : "disabled";
}

export function fromStoredStatus(status: string): Source["status"] {
	return status === "active" ? "active" : "paused";
}

/** The columns of the fields that are there. */
async function toColumns(env: Env, changes: SourceChanges): Promise<Row> {
	const { auth, secrets, eventType, dedupeKey, expectEverySeconds, settings, status, quarantine, ...same } =
		changes;
	return {
		...same,
		...(auth !== undefined && { auth: JSON.stringify(auth), ...AWAITING_VERIFICATION }),
		...(eventType !== undefined && { event_type: eventType }),
		...(dedupeKey !== undefined && { dedupe_key: dedupeKey }),
		...(expectEverySeconds !== undefined && { expect_every_seconds: expectEverySeconds }),
		...(settings !== undefined && { settings: JSON.stringify(settings) }),
		...(status !== undefined && { status: toStoredStatus(status) }),
		...(quarantine !== undefined && { quarantine: quarantineToColumn(quarantine) }),
		...(secrets !== undefined && { secrets: await seal(env, JSON.stringify(secrets)) }),
	};
}

async function fromRow(env: Env, row: SourceRow): Promise<Source> {
	const auth = readColumn(sourceAuthSchema, row.auth);
	// An auth that uses no secret has none to open.
	const secrets = auth === null || hasSecret(auth.type) ? await open(env, row.secrets) : "[]";
	return {
		id: row.id,
		name: row.name,
		kind: row.kind,
		description: row.description,
		auth,
		eventType: row.event_type,
		subject: row.subject,
		dedupeKey: row.dedupe_key,
		expectEverySeconds: row.expect_every_seconds ?? null,
		settings: readColumn(settingsSchema, row.settings),
		secrets: secrets === null ? null : readColumn(liveSecretsSchema, secrets),
		status: fromStoredStatus(row.status),
		revision: revisionOf(row),
		quarantine: quarantineFromColumn(row.quarantine ?? null),
		createdAt: row.created_at,
		updatedAt: row.updated_at,
	};
}
