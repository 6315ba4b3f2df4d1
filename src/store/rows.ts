/**
 * What the tables have in common: the statements that write rows, the version that every change moves on, and
 * the order of lists. Table and column names come from this folder's code only, values are always bound.
 */
import type { Env } from "../env.ts";
import { withSchema } from "./schema.ts";

export type Table = "sources" | "endpoints" | "subscriptions";
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
}

export type Update<T> = { outcome: "updated"; record: T } | { outcome: "name_taken" } | { outcome: "gone" };

/** false when another row has the name. */
export async function insertRow(env: Env, table: Table, row: Row): Promise<boolean> {
	const columns = Object.keys(row);
	const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
	const inserted = await unlessTaken(
		withSchema(env, (db) => db.batch([db.prepare(sql).bind(...Object.values(row)), bumpRoutingVersion(db)])),
	);
	return inserted !== "name_taken";
}

/** Writes only the columns in `changes`, so that two changes of different fields do not undo each other. */
export async function updateRow<R extends Row>(
	env: Env,
	table: Table,
	id: string,
	changes: Row,
): Promise<Update<R>> {
	const assignments = Object.keys(changes).map((column) => `${column} = ?`);
	const sql = `UPDATE ${table} SET ${assignments.join(", ")} WHERE id = ? RETURNING *`;
	const updated = await unlessTaken(
		withSchema(env, (db) =>
			db.batch<R>([db.prepare(sql).bind(...Object.values(changes), id), bumpRoutingVersion(db)]),
		),
	);
	if (updated === "name_taken") return { outcome: "name_taken" };
	const record = updated[0]?.results[0];
	return record === undefined ? { outcome: "gone" } : { outcome: "updated", record };
}

export async function listRows<R>(env: Env, table: Table, { after, limit }: ListQuery): Promise<R[]> {
	const { createdAt, id } = after ?? { createdAt: Number.MAX_SAFE_INTEGER, id: "" };
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(
				`SELECT * FROM ${table} WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
			)
			.bind(createdAt, id, limit)
			.all<R>(),
	);
	return results;
}

/**
 * Belongs into the batch of every change that routing can see. The version follows the clock where it can: a
 * plain counter would come by the same number twice after the database has been restored to an earlier state.
 */
export function bumpRoutingVersion(db: D1Database): D1PreparedStatement {
	return db
		.prepare(
			`INSERT INTO meta (key, value) VALUES ('routing_version', ?1)
			ON CONFLICT (key) DO UPDATE SET value = max(value + 1, ?1)`,
		)
		.bind(Date.now());
}

/** D1 reports a broken constraint only in the text of its error, with SQLite's words. */
async function unlessTaken<T>(writing: Promise<T>): Promise<T | "name_taken"> {
	try {
		return await writing;
	} catch (error) {
		if (/UNIQUE constraint failed: \w+\.name\b/.test(String(error))) return "name_taken";
		throw error;
	}
}
