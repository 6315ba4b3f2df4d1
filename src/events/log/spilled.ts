/**
 * Events that are too large for a queue message and wait in the event log until they are routed. They have room of
 * their own: what waits here takes none from the history, and a full room is told to the publisher.
 */

/** Of the 10 GB that a Durable Object holds, besides 8 GB of history. */
export const MAX_SPILLED_BYTES = 1_000_000_000;
/** Longer than the queue keeps a message, with its dead-letter queue; ms. */
const RETENTION_MS = 14 * 86_400_000;
/** Rows forgotten in one go, of up to 1.5 MB each. */
const SWEEP_ROWS = 200;

/** Storing the same key twice is storing it once. Belongs in a transaction. */
export function putSpilled(sql: SqlStorage, key: string, segments: readonly string[], now: number): void {
	segments.forEach((segment, part) => {
		sql.exec("INSERT OR IGNORE INTO spilled VALUES (?, ?, ?, ?)", key, part, now, segment);
	});
}

/** In order; empty when they have been routed and dropped. */
export function readSpilled(sql: SqlStorage, key: string): string[] {
	const rows = sql.exec<{ segment: string }>("SELECT segment FROM spilled WHERE key = ? ORDER BY part", key);
	return Array.from(rows, ({ segment }) => segment);
}

export function dropSpilled(sql: SqlStorage, key: string): void {
	sql.exec("DELETE FROM spilled WHERE key = ?", key);
}

/** Bytes that wait here. SQLite keeps sizes in the row headers, so no payload is read. */
export function spilledBytes(sql: SqlStorage): number {
	return sql
		.exec<{ bytes: number }>("SELECT coalesce(sum(octet_length(segment)), 0) AS bytes FROM spilled")
		.one().bytes;
}

/** Deletes what no message can refer to any more. Returns whether there may be more of it. */
export function sweepSpilled(sql: SqlStorage, now: number): boolean {
	const old = `SELECT key, part FROM spilled WHERE stored_at < ? LIMIT ${SWEEP_ROWS}`;
	const { rowsWritten } = sql.exec(`DELETE FROM spilled WHERE (key, part) IN (${old})`, now - RETENTION_MS);
	return rowsWritten >= SWEEP_ROWS;
}
