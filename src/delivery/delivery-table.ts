/**
 * The delivery table: every delivery that has been tried, or has ended without a try, in SQLite. A delivery that
 * succeeds at once is written here once, complete.
 */
import { positionOfTime } from "../events/position.ts";
import { COLUMNS, fromRow, toRow, type Delivery, type DeliveryRow as Row } from "./delivery-row.ts";
import type { DeliveryQuery } from "./records.ts";

/** What never changes once the row is there is left out. */
const CHANGING = COLUMNS.slice(COLUMNS.indexOf("status"));
const PAYLOADS: readonly string[] = ["event", "result_kind", "result", "result_event"];
const LISTED = COLUMNS.map((column) => (PAYLOADS.includes(column) ? `NULL AS ${column}` : column));
const PUT = `INSERT INTO deliveries (${COLUMNS.join(", ")}) VALUES (${COLUMNS.map(() => "?").join(", ")})
	ON CONFLICT (seq) DO UPDATE SET ${CHANGING.map((column) => `${column} = excluded.${column}`).join(", ")}`;

export function createDeliveryTable(sql: SqlStorage): void {
	sql.exec(`
		CREATE TABLE IF NOT EXISTS deliveries (
			seq INTEGER PRIMARY KEY, id TEXT NOT NULL, event_id TEXT NOT NULL,
			subscription_id TEXT NOT NULL, subscription_name TEXT NOT NULL, endpoint_ref TEXT NOT NULL,
			status TEXT NOT NULL, reason TEXT, detail TEXT, spent INTEGER NOT NULL,
			busy_count INTEGER NOT NULL, busy_since INTEGER, due_at INTEGER, finished_at INTEGER,
			attempts TEXT NOT NULL, event TEXT,
			result_kind TEXT, result_type TEXT, result TEXT, result_event TEXT, result_event_id TEXT);
		CREATE UNIQUE INDEX IF NOT EXISTS deliveries_id ON deliveries (id);
		CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
		CREATE INDEX IF NOT EXISTS deliveries_dead ON deliveries (seq) WHERE status = 'dead'`);
}

/** Writes the delivery as it is now; two rows written the first time, one for each change after it. */
export function putDelivery(sql: SqlStorage, delivery: Delivery): void {
	sql.exec(PUT, ...toRow(delivery));
}

export function findDelivery(sql: SqlStorage, id: string): Delivery | null {
	const row = sql.exec<Row>("SELECT * FROM deliveries WHERE id = ?", id).toArray()[0];
	return row === undefined ? null : fromRow(row);
}

/** Which of these ids have a row. */
export function knownDeliveries(sql: SqlStorage, ids: readonly string[]): Set<string> {
	const rows = sql.exec<{ id: string }>(
		"SELECT id FROM deliveries WHERE id IN (SELECT value FROM json_each(?))",
		JSON.stringify(ids),
	);
	return new Set(Array.from(rows, (row) => row.id));
}

/** The deliveries that are due longest; with `status`, of those. */
export function dueDeliveries(
	sql: SqlStorage,
	now: number,
	limit: number,
	status: "pending" | "waiting" | null = null,
): Delivery[] {
	return sql
		.exec<Row>(
			"SELECT * FROM deliveries WHERE due_at <= ?1 AND (?2 IS NULL OR status = ?2) ORDER BY due_at LIMIT ?3",
			now,
			status,
			limit,
		)
		.toArray()
		.map(fromRow);
}

/** When the next delivery is due that is not among `except`; with `status`, the next of those. */
export function nextDueAt(
	sql: SqlStorage,
	except: ReadonlyMap<string, unknown>,
	status: "waiting" | null,
): number | null {
	const rows = sql.exec<{ id: string; due_at: number }>(
		`SELECT id, due_at FROM deliveries WHERE due_at IS NOT NULL AND (?1 IS NULL OR status = ?1)
		 ORDER BY due_at LIMIT ?2`,
		status,
		except.size + 1,
	);
	for (const row of rows) if (!except.has(row.id)) return row.due_at;
	return null;
}

export function lastDeliveryPosition(sql: SqlStorage): number {
	return sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM deliveries").one().seq ?? 0;
}

/** Newest first, without payloads: a page of them could be larger than one call may answer. */
export function listDeliveries(sql: SqlStorage, query: DeliveryQuery): Delivery[] {
	const { since, before } = rangeOf(query);
	const conditions = ["seq >= ?", "seq < ?"];
	const values: (string | number)[] = [since, before];
	if (query.status !== undefined) {
		// A literal, because the index over dead deliveries is used only where SQLite can see the word.
		conditions.push(query.status === "dead" ? "status = 'dead'" : "status = ?");
		if (query.status !== "dead") values.push(query.status);
	}
	if (query.reason !== undefined) {
		conditions.push("status = 'dead'", "reason = ?");
		values.push(query.reason);
	}
	if (query.subscriptionId !== undefined) {
		conditions.push("subscription_id = ?");
		values.push(query.subscriptionId);
	}
	return sql
		.exec<Row>(
			`SELECT ${LISTED.join(", ")} FROM deliveries WHERE ${conditions.join(" AND ")} ORDER BY seq DESC LIMIT ?`,
			...values,
			query.limit,
		)
		.toArray()
		.map(fromRow);
}

/** Positions from `since` up to, not including, `before`. */
export interface Range {
	since: number;
	before: number;
}

export function rangeOf({ since, until, before }: DeliveryQuery): Range {
	return {
		since: since === undefined ? 0 : positionOfTime(since),
		before: Math.min(
			before ?? Number.MAX_SAFE_INTEGER,
			until === undefined ? Number.MAX_SAFE_INTEGER : positionOfTime(until),
		),
	};
}

/** Forgets what was created before `time`; whatever still waits then has waited for too long to be of use. */
export function sweepDeliveries(sql: SqlStorage, time: number): void {
	sql.exec("DELETE FROM deliveries WHERE seq < ?", positionOfTime(time));
}
