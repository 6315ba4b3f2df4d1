/**
 * The inbox: deliveries that have not been tried yet, in SQLite. One row holds everything that one
 * call brought, so a delivery that succeeds at once costs a fraction of a row here. A backlog of a
 * million is never loaded; only its oldest row is. A delivery leaves the inbox when it gets its own
 * row in the delivery table.
 */
import { DECISION_BYTES, type SluiceEvent } from "../../../events/event.ts";
import { nextPosition } from "../../../events/position.ts";
import { decodeHead, encodeSegment, estimateBytes, splitRuns } from "../../../events/queue/segment.ts";
import {
	encodeDecisions,
	entriesOf,
	type InboxRow,
	type NextInbox,
	parseDecisions,
	readRow,
	type StoredRow,
} from "./inbox-row.ts";
import type { IncomingEvent } from "./incoming.ts";

/** A row may hold 2 MB; a single event takes up to 1.4 MB of it. */
const MAX_ROW_BYTES = 1_200_000;
/**
 * Decisions of one event per row; an event with more matching subscriptions uses several rows.
 */
const MAX_ROW_DECISIONS = 1_000;

/**
 * Stores deliveries at positions after `last`, numbered from `number` on, and returns the last
 * position used.
 */
export function putInbox(
	sql: SqlStorage,
	items: readonly IncomingEvent[],
	last: number,
	now: number,
	number: number,
): number {
	let used = last;
	let next = number;
	for (const run of splitRuns(items.flatMap(inSlices), bytesInRow, MAX_ROW_BYTES)) {
		const entries = run.map(({ event, decisions }) => ({ eventId: event.id, decisions }));
		const seq = nextPosition(used, now);
		sql.exec(
			"INSERT INTO inbox (seq, decisions, segment, number) VALUES (?, ?, ?, ?)",
			seq,
			encodeDecisions(entries),
			encodeSegment(run.map(({ event }) => event)),
			next,
		);
		const count = entries.reduce((count, { decisions }) => count + decisions.length, 0);
		used = seq + count - 1;
		next += count;
	}
	return used;
}

function inSlices({ event, decisions }: IncomingEvent): IncomingEvent[] {
	const slices: IncomingEvent[] = [];
	for (let at = 0; at < decisions.length; at += MAX_ROW_DECISIONS) {
		slices.push({ event, decisions: decisions.slice(at, at + MAX_ROW_DECISIONS) });
	}
	return slices;
}

function bytesInRow({ event, decisions }: IncomingEvent): number {
	return estimateBytes(event) + decisions.length * DECISION_BYTES;
}

/** The oldest row after `after`. */
export function nextInbox(sql: SqlStorage, after: number): NextInbox | null {
	const row = sql
		.exec<StoredRow>("SELECT seq, decisions, segment FROM inbox WHERE seq > ? ORDER BY seq LIMIT 1", after)
		.toArray()[0];
	return row === undefined ? null : readRow(row);
}

/** The key of the row that holds a position, or of the row before it; 0: there is none. */
export function inboxRowAt(sql: SqlStorage, position: number): number {
	return (
		sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM inbox WHERE seq <= ?", position).one()
			.seq ?? 0
	);
}

/** Whether there is a row after `after`. */
export function hasInbox(sql: SqlStorage, after: number): boolean {
	return sql.exec("SELECT 1 FROM inbox WHERE seq > ? LIMIT 1", after).toArray().length > 0;
}

export function dropInbox(sql: SqlStorage, seq: number): void {
	sql.exec("DELETE FROM inbox WHERE seq = ?", seq);
}

/** Moves a row to `unreadable_inbox` unchanged, so that a newer release can still read it. */
export function setInboxAside(sql: SqlStorage, seq: number): void {
	sql.exec(
		"INSERT OR IGNORE INTO unreadable_inbox SELECT seq, decisions, segment FROM inbox WHERE seq = ?",
		seq,
	);
	dropInbox(sql, seq);
}

/** Rows that begin below `before`, newest first, read one by one. */
export function* inboxRows(sql: SqlStorage, before: number): Generator<InboxRow> {
	const rows = sql.exec<{ seq: number; decisions: string }>(
		"SELECT seq, decisions FROM inbox WHERE seq < ? ORDER BY seq DESC",
		before,
	);
	for (const { seq, decisions } of rows) {
		yield { seq, entries: entriesOf(parseDecisions(decisions) ?? []), size: decisions.length };
	}
}

/**
 * The events of one row without their payloads; none if a newer release wrote them in its own form.
 */
export function inboxHeads(sql: SqlStorage, seq: number): Omit<SluiceEvent, "data">[] {
	const row = sql
		.exec<{ line: string }>(
			"SELECT substr(segment, 1, instr(segment, char(10)) - 1) AS line FROM inbox WHERE seq = ?",
			seq,
		)
		.toArray()[0];
	try {
		return row === undefined ? [] : decodeHead(row.line);
	} catch {
		return [];
	}
}

/** The number of the next delivery that arrives, from the newest row. */
export function nextNumber(sql: SqlStorage): number {
	const newest = inboxRows(sql, Number.MAX_SAFE_INTEGER).next();
	if (newest.done === true) return 0;
	const { seq, entries } = newest.value;
	const number = numberOf(sql, seq);
	// Rows that release 0.1 wrote after a rollback have no number: they count as
	// nothing.
	return number === null ? (oldestNumber(sql) ?? 0) : number + entries.length;
}

/**
 * The number of the oldest delivery, null if there is none. Rows of release 0.1 come before number
 * 0.
 */
export function oldestNumber(sql: SqlStorage): number | null {
	const oldest = sql.exec<{ seq: number | null }>("SELECT min(seq) AS seq FROM inbox").one().seq;
	return oldest === null ? null : (numberOf(sql, oldest) ?? 0);
}

function numberOf(sql: SqlStorage, seq: number): number | null {
	return sql.exec<{ number: number | null }>("SELECT number FROM inbox WHERE seq = ?", seq).one().number;
}

export function lastInboxPosition(sql: SqlStorage): number {
	const newest = inboxRows(sql, Number.MAX_SAFE_INTEGER).next();
	if (newest.done === true) return 0;
	return newest.value.seq + Math.max(newest.value.entries.length, 1) - 1;
}
