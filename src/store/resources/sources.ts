/** Sources in D1: queries. */
import type { Env } from "../../env.ts";
import { rememberDeletion } from "../deleted.ts";
import type { ReadableSource, Source } from "../records.ts";
import {
	type Deletion,
	type ListQuery,
	type ReadAs,
	type Update,
	bumpRoutingVersion,
	hasChanged,
	insertRow,
	listRows,
	updateRow,
} from "../rows.ts";
import { withSchema } from "../schema.ts";
import {
	type SourceChanges,
	type SourceRow,
	sourceFromRow,
	sourceToColumns,
	sourceToRow,
} from "./source-row.ts";

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
