/** Sources in D1: conversion between rows and records, and queries. */
import * as z from "zod";
import type { Env } from "../env.ts";
import { readColumn } from "./columns.ts";
import { rememberDeletion } from "./deleted.ts";
import { quarantineFromColumn, quarantineToColumn } from "./quarantine.ts";
import { liveSecretsSchema } from "../crypto/live-secret.ts";
import type { ReadableSource, Source } from "./records.ts";
import {
	type Deletion,
	type ListQuery,
	type ReadAs,
	type Row,
	type Update,
	bumpRoutingVersion,
	hasChanged,
	insertRow,
	listRows,
	revisionOf,
	updateRow,
} from "./rows.ts";
import { withSchema } from "./schema.ts";
import { hasSecret, sourceAuthSchema } from "./source-auth.ts";
import { AWAITING_VERIFICATION } from "./verification-token.ts";
import { open, seal } from "../crypto/seal.ts";

/** The fields of a source that can change. */
export type SourceChanges = Partial<Omit<ReadableSource, keyof ReadAs | "createdAt">>;

/** The source's kind defines the members. */
export const settingsSchema = z.record(z.string(), z.unknown());

/** A paused source is stored as `disabled`, as in release 0.1, whose Workers may read it during a deploy. */
export const STORED_STATUSES = ["active", "disabled"] as const;
type StoredStatus = (typeof STORED_STATUSES)[number];

export interface SourceRow extends Row {
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
	/** Undefined before the schema step that adds it. */
	is_test?: number | null;
	settings: string;
	secrets: string;
	status: string;
	revision?: number;
	/** Undefined before the schema step that adds it. */
	quarantine?: string | null;
	created_at: number;
	updated_at: number;
}

/** Finds a source by `src_…` or by name. A name never begins with `src_`. Built-in sources have no row. */
export async function findSource(env: Env, ref: string): Promise<Source | null> {
	const row = await withSchema(env, (db) =>
		db.prepare("SELECT * FROM sources WHERE id = ?1 OR name = ?1").bind(ref).first<SourceRow>(),
	);
	return row === null ? null : sourceFromRow(env, row);
}

/** Finds the source that receives the messages of a Cloudflare queue; the oldest if there are several. */
export async function findSourceOfQueue(env: Env, queue: string): Promise<Source | null> {
	const row = await withSchema(env, (db) =>
		db
			.prepare(
				"SELECT * FROM sources WHERE kind = 'r2' AND settings ->> '$.queue' = ? ORDER BY created_at, id LIMIT 1",
			)
			.bind(queue)
			.first<SourceRow>(),
	);
	return row === null ? null : sourceFromRow(env, row);
}

export async function listSources(env: Env, query: ListQuery): Promise<Source[]> {
	const rows = await listRows<SourceRow>(env, "sources", query);
	return Promise.all(rows.map((row) => sourceFromRow(env, row)));
}

/**
 * Returns the ids and names of the first `limit` sources and their routing table version, or null if the version is
 * still `known`, which reads only one row.
 */
export async function readSourceRefs(
	env: Env,
	known: number | null,
	limit: number,
): Promise<{ version: number; refs: string[][] } | null> {
	const rows = await withSchema(env, (db) =>
		db
			.prepare(
				// meta comes first because a left join reads its left side first: if the version is known, no source is
				// read.
				`SELECT meta.value, sources.id, sources.name FROM meta LEFT JOIN sources ON true
				WHERE meta.key = 'routing_version' AND meta.value <> ? LIMIT ?`,
			)
			.bind(known ?? -1, limit)
			.raw<[version: number, id: string | null, name: string | null]>(),
	);
	const [first] = rows;
	if (first === undefined) return null;
	// If there are no sources, the result is one row without id and name.
	const refs = rows.map(([, ...ref]) => ref.filter((text) => text !== null));
	return { version: first[0], refs: refs.filter((ref) => ref.length > 0) };
}

/** Returns the ids of the `names` that exist. */
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

/** Returns names by id, for the ids that exist. */
export async function readSourceNames(env: Env, ids: readonly string[]): Promise<Map<string, string>> {
	const { results } = await withSchema(env, (db) =>
		db
			.prepare("SELECT id, name FROM sources WHERE id IN (SELECT value FROM json_each(?))")
			.bind(JSON.stringify(ids))
			.all<{ id: string; name: string }>(),
	);
	return new Map(results.map(({ id, name }) => [id, name]));
}

/** Returns false if the name is taken. */
export async function insertSource(env: Env, source: ReadableSource): Promise<boolean> {
	return (await insertRow(env, "sources", await sourceToRow(env, source))) === "inserted";
}

/** Returns the row, with sealed secrets. */
export async function sourceToRow(
	env: Env,
	{ id, createdAt, updatedAt, ...fields }: ReadableSource,
): Promise<Row> {
	const columns = await sourceToColumns(env, fields);
	return { id, ...columns, created_at: createdAt, updated_at: updatedAt };
}

export async function updateSource(
	env: Env,
	former: ReadAs,
	changes: SourceChanges,
): Promise<Update<Source>> {
	const update = await updateRow<SourceRow>(env, "sources", former, await sourceToColumns(env, changes));
	return update.outcome === "updated"
		? { ...update, record: await sourceFromRow(env, update.record) }
		: update;
}

/** Deletes the source unless subscriptions reference it or it has changed since it was read. */
export async function deleteSource(env: Env, id: string, asRead: ReadAs | null = null): Promise<Deletion> {
	const isUsed = "EXISTS (SELECT 1 FROM subscriptions WHERE source_id = ?1)";
	const changed = hasChanged("sources", asRead);
	const [using, found] = await withSchema(env, (db) =>
		db.batch<{ name: string }>([
			db.prepare("SELECT name FROM subscriptions WHERE source_id = ? ORDER BY name").bind(id),
			db.prepare(`SELECT 1 WHERE ${changed}`).bind(...(changed === "FALSE" ? [] : [id])),
			...rememberDeletion(db, id, `${isUsed} OR ${changed}`),
			db.prepare(`DELETE FROM sources WHERE id = ?1 AND NOT (${isUsed} OR ${changed})`).bind(id),
			bumpRoutingVersion(db),
		]),
	);
	return {
		usedBy: using?.results.map(({ name }) => name) ?? [],
		isChanged: (found?.results.length ?? 0) > 0,
	};
}

export function toStoredStatus(status: Source["status"]): StoredStatus {
	return status === "active" ? "active" : "disabled";
}

export function fromStoredStatus(status: string): Source["status"] {
	return status === "active" ? "active" : "paused";
}

/** Returns the columns of the given fields. */
export async function sourceToColumns(env: Env, changes: SourceChanges): Promise<Row> {
	const {
		auth,
		secrets,
		eventType,
		dedupeKey,
		expectEverySeconds,
		isTest,
		settings,
		status,
		quarantine,
		...same
	} = changes;
	return {
		...same,
		...(auth !== undefined && { auth: JSON.stringify(auth), ...AWAITING_VERIFICATION }),
		...(eventType !== undefined && { event_type: eventType }),
		...(dedupeKey !== undefined && { dedupe_key: dedupeKey }),
		...(expectEverySeconds !== undefined && { expect_every_seconds: expectEverySeconds }),
		...(isTest !== undefined && { is_test: Number(isTest) }),
		...(settings !== undefined && { settings: JSON.stringify(settings) }),
		...(status !== undefined && { status: toStoredStatus(status) }),
		...(quarantine !== undefined && { quarantine: quarantineToColumn(quarantine) }),
		...(secrets !== undefined && { secrets: await seal(env, JSON.stringify(secrets)) }),
	};
}

export async function sourceFromRow(env: Env, row: SourceRow): Promise<Source> {
	const auth = readColumn(sourceAuthSchema, row.auth);
	// An auth type without a secret has nothing to decrypt.
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
		isTest: row.is_test === 1,
		settings: readColumn(settingsSchema, row.settings),
		secrets: secrets === null ? null : readColumn(liveSecretsSchema, secrets),
		status: fromStoredStatus(row.status),
		revision: revisionOf(row),
		quarantine: quarantineFromColumn(row.quarantine ?? null),
		createdAt: row.created_at,
		updatedAt: row.updated_at,
	};
}
