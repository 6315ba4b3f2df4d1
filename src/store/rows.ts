/**
 * Shared by all tables: the statements that write rows, the version that every change increases, and the order of
 * lists. Table and column names come only from this folder's code; values are always bound.
 */
import type { Env } from "../env.ts";
import { withSchema } from "./schema.ts";

export type Table = "sources" | "endpoints" | "subscriptions";
/** Tables whose rows are listed by age. Those not in `Table` do not affect routing. */
type ListedTable = Table | "api_keys" | "audit";
export type Row = Record<string, string | number | null>;

/** A position in a list: lists are ordered by age, newest first, then by id. */
export interface ListPosition {
	createdAt: number;
	id: string;
}

export interface ListQuery {
	/** Only rows after this position. */
	after: ListPosition | null;
	limit: number;
	/** Only rows that satisfy all of these. */
	where?: readonly Condition[];
}

/** SQL over the columns of a row, and its parameters. */
export interface Condition {
	sql: string;
	bound: readonly (string | number)[];
}

/** Matches a column against `patterns`: exact, or a prefix followed by `*`. Names contain no other GLOB characters. */
export function matchesOneOf(
	column: "name" | "source_id" | "kind" | "protocol",
	patterns: readonly string[],
): Condition {
	return {
		sql: `EXISTS (SELECT 1 FROM json_each(?) AS pattern WHERE ${column} GLOB pattern.value)`,
		bound: [JSON.stringify(patterns)],
	};
}

/** The state of the row that a change is based on. */
export interface ReadAs {
	id: string;
	revision: number;
	updatedAt: number;
}

/**
 * The column is missing from `SELECT *` in a database restored to the schema of release 0.1. The first statement that
 * names the column adds it, with 1 in every row.
 */
export function revisionOf({ revision }: { revision?: number }): number {
	return revision ?? 1;
}

/** changed: the row, or a row that it references, was changed or deleted since the read; nothing was written. */
export type Update<T> =
	| { outcome: "updated"; record: T }
	| { outcome: "name_taken" }
	| { outcome: "changed" };

/** changed: a row that it references was deleted since it was looked up; nothing was written. */
export type Insert = "inserted" | "name_taken" | "changed";

/**
 * One parameter: ids as a JSON array. False if one of them was deleted and has no row (a row means it was restored).
 */
const NONE_DELETED = `NOT EXISTS (SELECT 1 FROM json_each(?) AS named
	WHERE EXISTS (SELECT 1 FROM deleted WHERE id = named.value)
	AND NOT EXISTS (SELECT 1 FROM endpoints WHERE id = named.value)
	AND NOT EXISTS (SELECT 1 FROM sources WHERE id = named.value))`;

/** Inserts a row. `names`: the ids of other rows that it references. */
export async function insertRow(
	env: Env,
	table: Table,
	row: Row,
	names: readonly string[] = [],
): Promise<Insert> {
	const columns = Object.keys(row);
	const sql = `INSERT INTO ${table} (${columns.join(", ")})
		SELECT ${columns.map(() => "?").join(", ")} WHERE ${NONE_DELETED} RETURNING id`;
	const inserted = await unlessTaken(
		withSchema(env, (db) =>
			db.batch([db.prepare(sql).bind(...Object.values(row), JSON.stringify(names)), bumpRoutingVersion(db)]),
		),
	);
	if (inserted === "name_taken") return inserted;
	return inserted[0]?.results.length === 1 ? "inserted" : "changed";
}

/**
 * Compare and set: writes `changes` if the row is unchanged since the read. Other columns stay as they are, even if
 * this release cannot read them. `names`: the ids of other rows that the changes reference.
 */
export async function updateRow<R extends Row>(
	env: Env,
	table: Table,
	{ id, revision, updatedAt }: ReadAs,
	changes: Row,
	names: readonly string[] = [],
): Promise<Update<R>> {
	const columns = { ...changes, updated_at: Date.now() };
	const assignments = Object.keys(columns).map((column) => `${column} = ?`);
	// During a deploy, a Worker of release 0.1 may still run, which updates updated_at but not the revision.
	const sql = `UPDATE ${table} SET ${assignments.join(", ")}, revision = revision + 1
		WHERE id = ? AND revision = ? AND updated_at = ? AND ${NONE_DELETED} RETURNING *`;
	const updated = await unlessTaken(
		withSchema(env, (db) =>
			db.batch<R>([
				db.prepare(sql).bind(...Object.values(columns), id, revision, updatedAt, JSON.stringify(names)),
				bumpRoutingVersion(db),
			]),
		),
	);
	if (updated === "name_taken") return { outcome: "name_taken" };
	const record = updated[0]?.results[0];
	return record === undefined ? { outcome: "changed" } : { outcome: "updated", record };
}

/**
 * SQL that is true if the row has changed since the read (null: never true); ?1 is its id. Both numbers come from D1.
 */
export function hasChanged(table: Table, asRead: ReadAs | null): string {
	if (asRead === null) return "FALSE";
	return `EXISTS (SELECT 1 FROM ${table} WHERE id = ?1
		AND NOT (revision = ${asRead.revision} AND updated_at = ${asRead.updatedAt}))`;
}

/**
 * `usedBy`: the names of the records that still need it; if there are any, it was not deleted. `isChanged`: it was not
 * deleted, because it has changed since it was read.
 */
export interface Deletion {
	usedBy: string[];
	isChanged: boolean;
}

export async function listRows<R>(
	env: Env,
	table: ListedTable,
	{ after, limit, where = [] }: ListQuery,
): Promise<R[]> {
	const { createdAt, id } = after ?? { createdAt: Number.MAX_SAFE_INTEGER, id: "" };
	const conditions = where.map(({ sql }) => ` AND ${sql}`).join("");
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(
				`SELECT * FROM ${table} WHERE (created_at, id) < (?, ?)${conditions}
				ORDER BY created_at DESC, id DESC LIMIT ?`,
			)
			.bind(createdAt, id, ...where.flatMap(({ bound }) => bound), limit)
			.all<R>(),
	);
	return results;
}

/**
 * Add this to the batch of every change that affects routing, directly after the statement that makes the change: if
 * that statement changes no row, the version stays the same and no router reads the table again. The version follows
 * the clock if possible, because a plain counter would produce the same number twice after the database has been
 * restored to an earlier state.
 */
export function bumpRoutingVersion(db: D1Database): D1PreparedStatement {
	return db
		.prepare(
			`INSERT INTO meta (key, value) SELECT 'routing_version', ?1 WHERE changes() > 0
			ON CONFLICT (key) DO UPDATE SET value = max(value + 1, ?1)`,
		)
		.bind(Date.now());
}

/** Returns `name_taken` for a unique constraint error, which D1 reports only in SQLite's message text. */
export async function unlessTaken<T>(writing: Promise<T>): Promise<T | "name_taken"> {
	try {
		return await writing;
	} catch (error) {
		if (/UNIQUE constraint failed: \w+\.name\b/.test(String(error))) return "name_taken";
		throw error;
	}
}
