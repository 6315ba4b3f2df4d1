/**
 * The segments of an event log in SQLite: one row per group of events stored together. Reads and writes only;
 * event-log.ts decides which events are new.
 */
import { log } from "../../log.ts";
import { DECISION_BYTES } from "../event.ts";
import { type KnownEntry, type LogEntry, type LogQuery, type NewEntry } from "./entry.ts";
import { entriesOf, hashOf, parseDecisions, type SegmentRow, textOfType, withoutData } from "./rows.ts";
import { HASH_LENGTH } from "../ids.ts";
import { nextPosition, rangeOf, type Slice, timeOfPosition } from "../position.ts";
import { encodeSegment, estimateBytes, splitRuns } from "../queue/segment.ts";
import { typeMatches } from "../cloudevents/type-pattern.ts";

/** A row may have 2 MB; a single event takes up to 1.4 MB. */
const MAX_ROW_BYTES = 1_200_000;
/** Longer decisions, in characters, are stored in separate rows. */
const MAX_DECISIONS_TEXT = 400_000;
/** Marks decisions stored in `long_decisions`. A row always has events, so its own list is never empty. */
const ELSEWHERE = "[]";
/** The characters that one call of `listEntries` reads; takes some tens of milliseconds. */
const MAX_LISTED_TEXT = 8_000_000;
/** The characters of parsed decisions cached while known entries are looked up. */
const MAX_KEPT_TEXT = 16_000_000;

/** Stores entries at positions after `last`. Returns each event's hash and position. Must run in a transaction. */
export function putEntries(
	sql: SqlStorage,
	entries: readonly NewEntry[],
	last: number,
	now: number,
): [hash: string, position: number][] {
	const stored: [hash: string, position: number][] = [];
	let used = last;
	for (const run of splitRuns(entries, bytesInRow, MAX_ROW_BYTES)) {
		const seq = nextPosition(used, now);
		const hashes = run.map(({ event }) => hashOf(event.id));
		const decisions = JSON.stringify(run.map((entry) => entry.decisions));
		const isLong = decisions.length > MAX_DECISIONS_TEXT;
		sql.exec(
			"INSERT INTO segments (seq, ids, segment, decisions) VALUES (?, ?, ?, ?)",
			seq,
			hashes.join(""),
			encodeSegment(run.map(({ event }) => event)),
			isLong ? ELSEWHERE : decisions,
		);
		if (isLong) putLongDecisions(sql, seq, decisions);
		hashes.forEach((hash, index) => stored.push([hash, seq + index]));
		used = seq + run.length - 1;
	}
	return stored;
}

function bytesInRow({ event, decisions }: NewEntry): number {
	return estimateBytes(event) + decisions.length * DECISION_BYTES;
}

function putLongDecisions(sql: SqlStorage, seq: number, text: string): void {
	for (let at = 0, part = 0; at < text.length; at += MAX_DECISIONS_TEXT, part++) {
		const piece = text.slice(at, at + MAX_DECISIONS_TEXT);
		sql.exec("INSERT INTO long_decisions (seq, part, text) VALUES (?, ?, ?)", seq, part, piece);
	}
}

/** Replaces the decisions of a row. Must run in a transaction. */
export function replaceDecisions(sql: SqlStorage, seq: number, decisions: string): void {
	const isLong = decisions.length > MAX_DECISIONS_TEXT;
	sql.exec("DELETE FROM long_decisions WHERE seq = ?", seq);
	sql.exec("UPDATE segments SET decisions = ? WHERE seq = ?", isLong ? ELSEWHERE : decisions, seq);
	if (isLong) putLongDecisions(sql, seq, decisions);
}

/** Returns the stored decisions of a row, from either table. */
export function decisionsText(
	sql: SqlStorage,
	{ seq, decisions }: Pick<SegmentRow, "seq" | "decisions">,
): string {
	if (decisions !== ELSEWHERE) return decisions;
	const parts = sql.exec<{ text: string }>(
		"SELECT text FROM long_decisions WHERE seq = ? ORDER BY part",
		seq,
	);
	return Array.from(parts, ({ text }) => text).join("");
}

function whole(sql: SqlStorage, row: SegmentRow): SegmentRow {
	return { ...row, decisions: decisionsText(sql, row) };
}

/**
 * Returns a function that looks up the decisions at a position. Reads and parses each row once, without payloads. The
 * function returns null if there is no event, or a newer release wrote it in another form.
 */
export function decisionReader(sql: SqlStorage): (position: number) => KnownEntry | null {
	type Read = { seq: number; end: number; lists: ReturnType<typeof parseDecisions> };
	let kept: Read[] = [];
	let keptText = 0;
	const read = (position: number): Read | null => {
		const row = sql
			.exec<{ seq: number; events: number; decisions: string }>(
				`SELECT seq, length(ids) / ${HASH_LENGTH} AS events, decisions
				 FROM segments WHERE seq <= ? ORDER BY seq DESC LIMIT 1`,
				position,
			)
			.toArray()[0];
		if (row === undefined || position >= row.seq + row.events) return null;
		const text = decisionsText(sql, row);
		if (keptText + text.length > MAX_KEPT_TEXT) [kept, keptText] = [[], 0];
		const found = { seq: row.seq, end: row.seq + row.events, lists: parseDecisions(text) };
		kept.push(found);
		keptText += text.length;
		return found;
	};
	return (position) => {
		const row = kept.find(({ seq, end }) => position >= seq && position < end) ?? read(position);
		const decisions = row?.lists?.[position - row.seq];
		return decisions === undefined ? null : { decisions, storedAt: timeOfPosition(position) };
	};
}

/** Returns the event at a position, or null if there is none or this release cannot read it. */
export function entryAt(sql: SqlStorage, position: number): LogEntry | null {
	const row = sql
		.exec<SegmentRow>(
			"SELECT seq, segment, decisions FROM segments WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
			position,
		)
		.toArray()[0];
	return (row && entriesOf(whole(sql, row))?.[position - row.seq]) ?? null;
}

/** Searches all stored rows, for events outside of the window. */
export function findEntry(sql: SqlStorage, id: string): LogEntry | null {
	const row = sql
		.exec<SegmentRow>(
			"SELECT seq, segment, decisions FROM segments WHERE instr(ids, ?) > 0 LIMIT 1",
			hashOf(id),
		)
		.toArray()[0];
	return (row && entriesOf(whole(sql, row))?.find(({ event }) => event.id === id)) ?? null;
}

/** Lists entries, newest first. Without payloads, because a page could exceed the size limit of an RPC call. */
export function listEntries(sql: SqlStorage, query: LogQuery): Slice<LogEntry> {
	const { since, before } = rangeOf(query);
	const wanted = textOfType(query.type);
	const items: LogEntry[] = [];
	let read = 0;
	// A segment's key is the position of its first entry, so the one that spans `since` has a smaller key.
	const rows = sql.exec<SegmentRow>(
		`SELECT seq, segment, decisions FROM segments
		 WHERE seq < ? AND seq >= coalesce((SELECT max(seq) FROM segments WHERE seq <= ?), 0)
		 ORDER BY seq DESC`,
		before,
		since,
	);
	for (const short of rows) {
		const row = whole(sql, short);
		const entries = row.segment.includes(wanted) ? entriesOf(row) : [];
		if (entries === null) log("event_log.unreadable", { segment: row.seq });
		for (const entry of entries?.reverse() ?? []) {
			if (entry.position >= before || entry.position < since) continue;
			if (query.type === undefined || typeMatches(query.type, entry.event.attributes.type))
				items.push(withoutData(entry));
			if (items.length === query.limit) return { items, rest: null };
		}
		read += row.segment.length + row.decisions.length;
		if (read > MAX_LISTED_TEXT) return { items, rest: row.seq };
	}
	return { items, rest: null };
}

/** Deletes up to `limit` of the oldest rows below a position. Returns the number. */
export function sweepSegments(sql: SqlStorage, before: number, limit: number): number {
	const swept = sql
		.exec<{ seq: number }>(
			"DELETE FROM segments WHERE seq IN (SELECT seq FROM segments WHERE seq < ? ORDER BY seq LIMIT ?) RETURNING seq",
			before,
			limit,
		)
		.toArray();
	const last = Math.max(0, ...swept.map(({ seq }) => seq));
	sql.exec("DELETE FROM long_decisions WHERE seq <= ?", last);
	return swept.length;
}
