/**
 * The inbox: deliveries that have not been tried yet, in SQLite. One row holds all that one call brought, so a
 * delivery that succeeds at once costs a fraction of a row here, and a backlog of a million is never loaded:
 * only its oldest row is. A delivery leaves the inbox by getting a row of its own in the delivery table.
 */
import { nextPosition } from "../events/position.ts";
import { decodeSegment, encodeSegment, splitBySize } from "../events/segment.ts";
import { DECISION_BYTES, type Decision, type SluiceEvent } from "../events/event.ts";

/** A delivery on its way in: which event, by which decision, at which position. */
export interface Incoming {
	position: number;
	event: SluiceEvent;
	decision: Decision;
}

/** Deliveries of one event to this endpoint. */
export interface IncomingEvent {
	event: SluiceEvent;
	decisions: Decision[];
}

/** A row of the inbox without the payloads; the i-th entry is at position `seq` + i. */
export interface InboxRow {
	seq: number;
	entries: { eventId: string; decision: Decision }[];
}

/** A row may hold 2 MB; a single event takes up to 1.4 MB of it. */
const MAX_ROW_BYTES = 1_200_000;

/** Stores deliveries at positions after `last`, and answers the last position used. */
export function putInbox(
	sql: SqlStorage,
	items: readonly IncomingEvent[],
	last: number,
	now: number,
): number {
	const decisionsOf = new Map(items.map(({ event, decisions }) => [event, decisions]));
	let used = last;
	const decisionBytes = (event: SluiceEvent) => (decisionsOf.get(event)?.length ?? 0) * DECISION_BYTES;
	for (const events of splitBySize([...decisionsOf.keys()], MAX_ROW_BYTES, decisionBytes)) {
		const entries = events.map((event) => ({ eventId: event.id, decisions: decisionsOf.get(event) ?? [] }));
		const seq = nextPosition(used, now);
		sql.exec(
			"INSERT INTO inbox (seq, decisions, segment) VALUES (?, ?, ?)",
			seq,
			JSON.stringify(entries),
			encodeSegment(events),
		);
		used = seq + entries.reduce((count, { decisions }) => count + decisions.length, 0) - 1;
	}
	return used;
}

/** The deliveries of the oldest row behind `after`, with their events. */
export function nextInbox(sql: SqlStorage, after: number): { seq: number; deliveries: Incoming[] } | null {
	const row = sql
		.exec<{ seq: number; decisions: string; segment: string }>(
			"SELECT seq, decisions, segment FROM inbox WHERE seq > ? ORDER BY seq LIMIT 1",
			after,
		)
		.toArray()[0];
	if (row === undefined) return null;
	const events = decodeSegment(row.segment);
	let position = row.seq;
	const deliveries = parseDecisions(row.decisions).flatMap(({ decisions }, index) => {
		const event = events[index];
		if (event === undefined) throw new Error(`inbox row ${row.seq} has decisions without an event`);
		return decisions.map((decision) => ({ position: position++, event, decision }));
	});
	return { seq: row.seq, deliveries };
}

/** True when there is a row behind `after`. */
export function hasInbox(sql: SqlStorage, after: number): boolean {
	return sql.exec("SELECT 1 FROM inbox WHERE seq > ? LIMIT 1", after).toArray().length > 0;
}

export function dropInbox(sql: SqlStorage, seq: number): void {
	sql.exec("DELETE FROM inbox WHERE seq = ?", seq);
}

/** Rows that begin below `before`, newest first, read one by one. */
export function* inboxRows(sql: SqlStorage, before: number): Generator<InboxRow> {
	const rows = sql.exec<{ seq: number; decisions: string }>(
		"SELECT seq, decisions FROM inbox WHERE seq < ? ORDER BY seq DESC",
		before,
	);
	for (const { seq, decisions } of rows) {
		const entries = parseDecisions(decisions).flatMap(({ eventId, decisions }) =>
			decisions.map((decision) => ({ eventId, decision })),
		);
		yield { seq, entries };
	}
}

/** The untried delivery with this id, with its event. Reads the decisions of the whole backlog: for people. */
export function findInInbox(sql: SqlStorage, id: string): Incoming | null {
	const row = sql
		.exec<{ seq: number }>("SELECT seq FROM inbox WHERE instr(decisions, ?) > 0 LIMIT 1", id)
		.toArray()[0];
	if (row === undefined) return null;
	const found = nextInbox(sql, row.seq - 1);
	return found?.deliveries.find(({ decision }) => decision.deliveryId === id) ?? null;
}

export function lastInboxPosition(sql: SqlStorage): number {
	const newest = inboxRows(sql, Number.MAX_SAFE_INTEGER).next();
	return newest.done === true ? 0 : newest.value.seq + newest.value.entries.length - 1;
}

// Written by putInbox alone, so the shape is known.
function parseDecisions(text: string): { eventId: string; decisions: Decision[] }[] {
	return JSON.parse(text) as { eventId: string; decisions: Decision[] }[];
}
