/**
 * Spilled events: too large for a queue message, they wait in the event log until they are routed. They have a separate
 * limit, so that they do not reduce the history. If it is reached, the publisher's request is refused.
 */

/** Of the 10 GB that a Durable Object can store, in addition to 8 GB of history. */
export const MAX_SPILLED_BYTES = 1_000_000_000;
/** In ms; longer than the queue (4 days) and the dead letters (30 days) together can keep a message. */
const RETENTION_MS = 45 * 86_400_000;
/** Rows deleted per sweep, of up to 1.5 MB each. */
const SWEEP_ROWS = 200;

/** Stores segments. Idempotent by key. Must run in a transaction. */
export function putSpilled(sql: SqlStorage, key: string, segments: readonly string[], now: number): void {
	segments.forEach((segment, part) => {
		sql.exec("INSERT OR IGNORE INTO spilled VALUES (?, ?, ?, ?)", key, part, now, segment);
	});
}

/** Returns the segments in order. Empty if they were routed and dropped. */
export function readSpilled(sql: SqlStorage, key: string): string[] {
	const rows = sql.exec<{ segment: string }>("SELECT segment FROM spilled WHERE key = ? ORDER BY part", key);
	return Array.from(rows, ({ segment }) => segment);
}

export function dropSpilled(sql: SqlStorage, key: string): void {
	sql.exec("DELETE FROM spilled WHERE key = ?", key);
}

/** Returns the total size in bytes. SQLite keeps sizes in the row headers, so no payload is read. */
export function spilledBytes(sql: SqlStorage): number {
	return sql
		.exec<{ bytes: number }>("SELECT coalesce(sum(octet_length(segment)), 0) AS bytes FROM spilled")
		.one().bytes;
}

/** Deletes events that no message can refer to any more. Returns whether there may be more. */
export function sweepSpilled(sql: SqlStorage, now: number): boolean {
	const old = `SELECT key, part FROM spilled WHERE stored_at < ? LIMIT ${SWEEP_ROWS}`;
	const { rowsWritten } = sql.exec(`DELETE FROM spilled WHERE (key, part) IN (${old})`, now - RETENTION_MS);
	return rowsWritten >= SWEEP_ROWS;
}
