/**
 * What the tables have in common: the statements that write rows, the version that every change moves on, and
 * the order of lists. Table and column names come from this folder's code only, values are always bound.
 */
import type { Env } from "../env.ts";
import { withSchema } from "./schema.ts";

export type Table = "sources" | "endpoints" | "subscriptions";
/** Tables whose rows are listed by age. Those beside `Table` do not concern routing. */
type ListedTable = Table | "api_keys" | "audit";
export type Row = Record<string, string | number | null>;

/** A place in a list: lists are ordered by age, newest first, and by id among equals. */
export interface ListPosition {
	createdAt: number;
	id: string;
}

export interface ListQuery {
	/** Only what stands after this place. */
	after: ListPosition | null;
	limit: number;
	/** Only rows that all of these hold for. */
	where?: readonly Condition[];
}

/** SQL over the columns of a row, and what is bound in it. */
export interface Condition {
	sql: string;
	bound: readonly (string | number)[];
}

/** The column is one of `patterns`: exact, or the beginning of a name with `*` behind it. Names hold nothing else that GLOB knows. */
export function matchesOneOf(
	column: "name" | "source_id" | "kind" | "protocol",
	patterns: readonly string[],
): Condition {
	return {
		sql: `EXISTS (SELECT 1 FROM json_each(?) AS pattern WHERE ${column} GLOB pattern.value)`,
		bound: [JSON.stringify(patterns)],
	};
}

/** The state of a row that a change was computed from. */
export interface ReadAs {
	id: string;
	revision: number;
	updatedAt: number;
}

/**
 * `SELECT *` finds no such column in a database that was restored to the schema of release 0.1; the first statement that
 * names the column makes it, with 1 in every row.
 */
export function revisionOf({ revision }: { revision?: number }): number {
	return revision ?? 1;
}

/** changed: the row, or what it is to name, has been changed or deleted since it was read, and nothing was written. */
export type Update<T> =
	| { outcome: "updated"; record: T }
	| { outcome: "name_taken" }
	| { outcome: "changed" };

/** changed: something that the row names has been deleted since it was looked up, and nothing was written. */
export type Insert = "inserted" | "name_taken" | "changed";

/** One parameter: ids as a JSON array. True unless one of them was deleted; one whose row is there has been restored. */
const NONE_DELETED = `NOT EXISTS (SELECT 1 FROM json_each(?) AS named
	WHERE EXISTS (SELECT 1 FROM deleted WHERE id = named.value)
	AND NOT EXISTS (SELECT 1 FROM endpoints WHERE id = named.value)
	AND NOT EXISTS (SELECT 1 FROM sources WHERE id = named.value))`;

/** `names`: ids of other rows that this one depends on. */
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
 * Compare and set: writes `changes` when the row is still as it was read. Columns that are not named stay as they are,
 * whether anybody can read them or not. `names`: ids of other rows that the changes make it depend on.
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
	// A Worker of release 0.1, which runs beside this one during a deploy, moves updated_at and not the revision.
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

/** True of a row that has changed since it was read (null: whatever it is now); ?1 is its id. Both numbers are the database's own. */
export function hasChanged(table: Table, asRead: ReadAs | null): string {
	if (asRead === null) return "FALSE";
	return `EXISTS (SELECT 1 FROM ${table} WHERE id = ?1
		AND NOT (revision = ${asRead.revision} AND updated_at = ${asRead.updatedAt}))`;
}

/** `usedBy`: the names of what needs it, for which nothing was deleted. isChanged: nor was it, because it has changed since. */
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
 * Belongs into the batch of every change that routing can see, right behind the statement that makes it: where that
 * changes no row, nobody has to read anything anew. The version follows the clock where it can: a plain counter would
 * come by the same number twice after the database has been restored to an earlier state.
 */
export function bumpRoutingVersion(db: D1Database): D1PreparedStatement {
	return db
		.prepare(
			`INSERT INTO meta (key, value) SELECT 'routing_version', ?1 WHERE changes() > 0
			ON CONFLICT (key) DO UPDATE SET value = max(value + 1, ?1)`,
		)
		.bind(Date.now());
}

/** D1 reports a broken constraint only in the text of its error, with SQLite's words. */
export async function unlessTaken<T>(writing: Promise<T>): Promise<T | "name_taken"> {
	try {
		return await writing;
	} catch (error) {
		if (/UNIQUE constraint failed: \w+\.name\b/.test(String(error))) return "name_taken";
		throw error;
	}
}
