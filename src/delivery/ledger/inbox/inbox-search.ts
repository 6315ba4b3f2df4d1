/**
 * Looks for deliveries in the inbox by their ids. No column has them, so the decisions of many rows may be read.
 */
import { positionOfTime } from "../../../events/position.ts";
import type { Incoming } from "./incoming.ts";
import { readRow, type StoredRow } from "./inbox-row.ts";

/** How far the clocks of two Durable Objects may differ. */
const CLOCK_SLACK_MS = 60_000;
/**
 * Characters of decisions that the search for duplicates reads; at most a few tenths of a second.
 */
const MAX_SEARCHED_TEXT = 64_000_000;

/**
 * Which of these deliveries are in the inbox, or among the refused ones. Looks only at what has
 * arrived since `storedAt` (ms), because nothing can have arrived before the event log had the
 * event. Most arrived together and soon after that, so little is read.
 */
export function waitingIn(
	sql: SqlStorage,
	table: "inbox" | "refused",
	ids: ReadonlySet<string>,
	storedAt: number,
): Set<string> {
	const found = new Set<string>();
	let searched = 0;
	const search = (rows: Iterable<{ decisions: string }>): void => {
		for (const { decisions } of rows) {
			// Extracted from the text, which is much faster than parsing it.
			for (const [, id = ""] of decisions.matchAll(/"deliveryId":"(\w+)"/g)) if (ids.has(id)) found.add(id);
			searched += decisions.length;
			if (found.size === ids.size || searched > MAX_SEARCHED_TEXT) return;
		}
	};
	const from = positionOfTime(storedAt);
	search(sql.exec<{ decisions: string }>(`SELECT decisions FROM ${table} WHERE seq >= ? ORDER BY seq`, from));
	if (found.size === ids.size) return found;
	search(
		sql.exec<{ decisions: string }>(
			`SELECT decisions FROM ${table} WHERE seq >= ? AND seq < ? ORDER BY seq DESC`,
			positionOfTime(storedAt - CLOCK_SLACK_MS),
			from,
		),
	);
	return found;
}

/**
 * The untried delivery with this id, with its event. Reads the decisions of the whole backlog, so
 * use it only for API requests.
 */
export function findInInbox(sql: SqlStorage, id: string): Incoming | null {
	return find(sql, "inbox", id);
}

/** As above, for a known position. */
export function findInInboxAt(sql: SqlStorage, position: number, id: string): Incoming | null {
	const row = sql
		.exec<StoredRow>(
			"SELECT seq, decisions, segment FROM inbox WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
			position,
		)
		.toArray()[0];
	return row === undefined ? null : inRow(row, id);
}

/** As above, but among the rows that were set aside: the current release may be able to read them. */
export function findSetAside(sql: SqlStorage, id: string): Incoming | null {
	return find(sql, "unreadable_inbox", id);
}

function find(sql: SqlStorage, table: "inbox" | "unreadable_inbox", id: string): Incoming | null {
	const row = sql
		.exec<StoredRow>(`SELECT seq, decisions, segment FROM ${table} WHERE instr(decisions, ?) > 0 LIMIT 1`, id)
		.toArray()[0];
	return row === undefined ? null : inRow(row, id);
}

function inRow(row: StoredRow, id: string): Incoming | null {
	const found = readRow(row);
	if ("unreadable" in found) return null;
	return found.deliveries.find(({ decision }) => decision.deliveryId === id) ?? null;
}
