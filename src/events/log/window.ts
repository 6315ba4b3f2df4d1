/** The window for duplicate detection: the hashes and positions of the latest events. */
import { HASH_LENGTH } from "../ids.ts";

/** Older events are not detected as duplicates; their deliveries are still idempotent by id. */
const WINDOW = 100_000;

export interface Window {
	/** Hash part of the event id → position, oldest first. */
	positions: Map<string, number>;
	/** The last assigned position; 0 in an empty log. */
	last: number;
}

export function loadWindow(sql: SqlStorage): Window {
	const rows: { seq: number; ids: string }[] = [];
	let count = 0;
	for (const row of sql.exec<{ seq: number; ids: string }>(
		"SELECT seq, ids FROM segments ORDER BY seq DESC",
	)) {
		rows.push(row);
		count += row.ids.length / HASH_LENGTH;
		if (count >= WINDOW) break;
	}
	const positions = new Map<string, number>();
	let last = 0;
	for (const { seq, ids } of rows.reverse()) {
		for (let index = 0; index < ids.length / HASH_LENGTH; index++) {
			positions.set(ids.slice(index * HASH_LENGTH, (index + 1) * HASH_LENGTH), seq + index);
			last = seq + index;
		}
	}
	return { positions, last };
}

/** Adds the events just stored, and removes the oldest ones beyond the limit. */
export function extendWindow(window: Window, stored: readonly [hash: string, position: number][]): void {
	for (const [hash, position] of stored) {
		window.positions.set(hash, position);
		window.last = position;
	}
	for (const hash of window.positions.keys()) {
		if (window.positions.size <= WINDOW) break;
		window.positions.delete(hash);
	}
}
