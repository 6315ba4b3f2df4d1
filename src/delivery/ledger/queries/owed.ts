/**
 * Exact counts of what a dispatcher owes, and since when, for the API. Too expensive for every call
 * (inbox/owed-count.ts).
 */
import { toStoredStatus } from "../table/columns.ts";
import type { Owed as Phase } from "../../rules/state.ts";
import { nextNumber } from "../inbox/inbox.ts";
import { knownDeliveries } from "../table/table.ts";

export interface Owed {
	/** Includes those in progress. */
	deliveries: number;
	/** The position of the oldest; null: there is none. */
	oldest: number | null;
}

/** Everything that is owed, and how much of it waits for the output of a job. */
export interface AllOwed extends Owed {
	waiting: number;
}

/** Deliveries that have been read from the inbox and have no row of their own yet. */
export interface OpenInbox extends Owed {
	/** The key of the newest inbox row that has been read. */
	read: number;
}

/** Characters of decisions without a number that are read, some tens of milliseconds. */
const LOOK_TEXT = 8_000_000;

export function owedIn(sql: SqlStorage, open: OpenInbox): AllOwed {
	const waiting = rowsIn(sql, "waiting");
	const parts = [waiting, rowsIn(sql, "pending"), rowsIn(sql, "publishing"), open, unreadIn(sql, open.read)];
	const oldest = parts.flatMap((part) => part.oldest ?? []);
	return {
		deliveries: parts.reduce((sum, { deliveries }) => sum + deliveries, 0),
		waiting: waiting.deliveries,
		oldest: oldest.length === 0 ? null : Math.min(...oldest),
	};
}

function rowsIn(sql: SqlStorage, phase: Phase["phase"]): Owed {
	// A literal, because SQLite uses a partial index only if it can see the condition.
	const where = `status = '${toStoredStatus(phase)}'`;
	return sql
		.exec<{ deliveries: number; oldest: number | null }>(
			`SELECT count(*) AS deliveries, min(seq) AS oldest FROM deliveries WHERE ${where}`,
		)
		.one();
}

/**
 * Inbox rows after `after`. When the object has just woken, an earlier life may have tried part of
 * the first row; if there are more rows, all of its deliveries count until the first attempt of
 * this life.
 */
function unreadIn(sql: SqlStorage, after: number): Owed {
	const rows = sql.exec<{ seq: number; decisions: string; number: number | null }>(
		"SELECT seq, decisions, number FROM inbox WHERE seq > ? ORDER BY seq",
		after,
	);
	const unread: Owed = { deliveries: 0, oldest: null };
	let looked = 0;
	for (const { seq, decisions, number } of rows) {
		const ids = [...decisions.matchAll(/"deliveryId":"(\w+)"/g)].map(([, id = ""]) => id);
		if (unread.oldest === null) unread.deliveries -= knownDeliveries(sql, ids).size;
		unread.oldest ??= seq;
		if (number !== null) {
			unread.deliveries += nextNumber(sql) - number;
			break;
		}
		// Rows of release 0.1, which come first, have no number.
		unread.deliveries += ids.length;
		looked += decisions.length;
		if (looked > LOOK_TEXT) break;
	}
	return { ...unread, deliveries: Math.max(0, unread.deliveries) };
}
