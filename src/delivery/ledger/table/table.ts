/**
 * The delivery table: every delivery that has been tried, or has ended untried, in SQLite. A
 * delivery that succeeds at once is written here once, complete.
 */
import { positionOfTime, rangeOf, type Slice } from "../../../events/position.ts";
import { log } from "../../../log.ts";
import { COLUMNS, toStoredStatus, type DeliveryRow as Row } from "./columns.ts";
import { asksForEvent, ELSEWHERE, rowConditions } from "../queries/filters.ts";
import type { Delivery } from "../../rules/delivery.ts";
import type { Dead, Owed } from "../../rules/state.ts";
import { fromRow, toRow } from "./row.ts";
import type { DeliveryQuery } from "../../records.ts";

/** Excludes the columns that never change after the insert. */
const CHANGING = COLUMNS.slice(COLUMNS.indexOf("status"));
/** Columns that may be so large that together they would exceed the 2 MB limit of a row. */
const TEXTS = ["event", "result", "result_event"] as const;
/**
 * Longer texts get rows of their own; each text is well below 2 MB. In characters of up to three
 * bytes.
 */
const LARGE = 150_000;
const PAYLOADS: readonly string[] = ["event", "result_kind", "result", "result_event"];
const LISTED = COLUMNS.map((column) => (PAYLOADS.includes(column) ? `NULL AS ${column}` : column));
const PUT = `INSERT INTO deliveries (${COLUMNS.join(", ")}) VALUES (${COLUMNS.map(() => "?").join(", ")})
	ON CONFLICT (seq) DO UPDATE SET ${CHANGING.map((column) => `${column} = excluded.${column}`).join(", ")}`;

/**
 * Writes the delivery as it is now. The first write takes two rows, and one more if it is due
 * again; each later change writes one or two. Runs several statements: call it in a transaction.
 */
export function putDelivery(sql: SqlStorage, delivery: Delivery): void {
	const row = toRow(delivery);
	sql.exec("DELETE FROM large_texts WHERE seq = ?", row.seq);
	for (const name of largeTexts(row)) {
		sql.exec("INSERT INTO large_texts (seq, name, text) VALUES (?, ?, ?)", row.seq, name, row[name]);
		row[name] = ELSEWHERE;
	}
	putRow(sql, row);
}

/**
 * Writes a delivery that has no row yet, in one statement, which needs no transaction. false, with
 * nothing written, if a text is too large for that.
 */
export function putNewDelivery(sql: SqlStorage, delivery: Delivery): boolean {
	const row = toRow(delivery);
	if (largeTexts(row).length > 0) return false;
	putRow(sql, row);
	return true;
}

function putRow(sql: SqlStorage, row: Row): void {
	sql.exec(PUT, ...COLUMNS.map((column) => row[column]));
}

function largeTexts(row: Row): (typeof TEXTS)[number][] {
	return TEXTS.filter((name) => (row[name]?.length ?? 0) > LARGE);
}

function read(sql: SqlStorage, row: Row): Delivery {
	for (const name of TEXTS) {
		if (row[name] !== ELSEWHERE) continue;
		const found = sql.exec<{ text: string }>(
			"SELECT text FROM large_texts WHERE seq = ? AND name = ?",
			row.seq,
			name,
		);
		row[name] = found.toArray()[0]?.text ?? ELSEWHERE;
	}
	return fromRow(row);
}

export function findDelivery(sql: SqlStorage, id: string): Delivery | null {
	const row = sql.exec<Row>("SELECT * FROM deliveries WHERE id = ?", id).toArray()[0];
	return row === undefined ? null : read(sql, row);
}

/** Ids that one statement looks up; as JSON they are a parameter of half a megabyte. */
const IDS_AT_ONCE = 10_000;

/** Which of these ids have a row. */
export function knownDeliveries(sql: SqlStorage, ids: readonly string[]): Set<string> {
	const known = new Set<string>();
	for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
		const rows = sql.exec<{ id: string }>(
			"SELECT id FROM deliveries WHERE id IN (SELECT value FROM json_each(?))",
			JSON.stringify(ids.slice(at, at + IDS_AT_ONCE)),
		);
		for (const { id } of rows) known.add(id);
	}
	return known;
}

/** What a delivery is due for. */
export type Due = Owed["phase"];

/**
 * The delivery that has been due longest and is not in `except`. Unreadable deliveries found on the
 * way are set aside.
 */
export function dueDelivery(
	sql: SqlStorage,
	which: Due,
	now: number,
	except: ReadonlyMap<string, unknown>,
): Delivery | null {
	for (;;) {
		const next = nextDue(sql, which, except);
		const delivery = next === null || next.due_at > now ? null : findDelivery(sql, next.id);
		if (delivery === null || delivery.state.phase !== "dead") return delivery;
		setAside(sql, delivery.id, delivery.state, now);
	}
}

/**
 * Writes only the columns that end it; the others stay for the release that wrote
 * them.
 */
function setAside(sql: SqlStorage, id: string, { phase, reason, detail }: Dead, now: number): void {
	sql.exec(
		"UPDATE deliveries SET status = ?, reason = ?, detail = ?, due_at = NULL, finished_at = ? WHERE id = ?",
		phase,
		reason,
		detail,
		now,
		id,
	);
	log("dispatcher.unreadable", { delivery_id: id });
}

/** When the next delivery is due that is not in `except`. */
export function nextDueAt(sql: SqlStorage, which: Due, except: ReadonlyMap<string, unknown>): number | null {
	return nextDue(sql, which, except)?.due_at ?? null;
}

/**
 * Reads no other columns, because deliveries in `except` are skipped and a payload may be large.
 */
function nextDue(
	sql: SqlStorage,
	which: Due,
	except: ReadonlyMap<string, unknown>,
): { id: string; due_at: number } | null {
	const rows = sql.exec<{ id: string; due_at: number }>(
		// A literal, because SQLite uses a partial index only where it can see the condition.
		`SELECT id, due_at FROM deliveries WHERE status = '${toStoredStatus(which)}' ORDER BY due_at LIMIT ?`,
		except.size + 1,
	);
	for (const row of rows) if (!except.has(row.id)) return row;
	return null;
}

export function lastDeliveryPosition(sql: SqlStorage): number {
	return sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM deliveries").one().seq ?? 0;
}

/** Rows that one call of `listDeliveries` looks at, some tens of milliseconds. */
const LOOK_ROWS = 5_000;
/** The limit if an event may have to be read for each row. */
const LOOK_EVENTS = 1_000;

/** Without payloads: a page of them could be larger than one call may return. */
export function listDeliveries(sql: SqlStorage, query: DeliveryQuery): Slice<Delivery> {
	const { status } = query;
	// This status is not stored in the table.
	if (status === "in_flight") return { items: [], rest: null };
	const { since, before } = rangeOf(query);
	// A literal, because SQLite uses a partial index only if it can see the condition. Dead deliveries
	// are often few.
	const among = status === "dead" || query.reason !== undefined ? "status = 'dead'" : "TRUE";
	const beyond = sql.exec<{ seq: number }>(
		`SELECT seq FROM deliveries WHERE seq >= ? AND seq < ? AND ${among} ORDER BY seq DESC LIMIT 1 OFFSET ?`,
		since,
		before,
		asksForEvent(query) ? LOOK_EVENTS : LOOK_ROWS,
	);
	const { seq: floor } = beyond.toArray()[0] ?? { seq: null };
	const conditions = rowConditions(query);
	const items = sql
		.exec<Row>(
			`SELECT ${LISTED.join(", ")} FROM deliveries WHERE seq >= ? AND seq < ? AND ${among}
			 ${conditions.map(({ sql }) => `AND ${sql}`).join(" ")} ORDER BY seq DESC LIMIT ?`,
			floor ?? since,
			before,
			...conditions.flatMap(({ bound }) => bound),
			query.limit,
		)
		.toArray()
		.map(fromRow);
	return { items, rest: items.length < query.limit ? floor : null };
}

/**
 * Rows deleted by one statement, so that the object can handle calls in between.
 */
const SWEEP_ROWS = 5_000;
const FINISHED = "status IN ('succeeded', 'dead', 'canceled')";

/**
 * Deletes finished deliveries, oldest first: those created before `time`, and more while the
 * database is over `maxBytes`. Deliveries that are owed stay, however old. Returns true if there
 * may be more to delete.
 */
export function sweepDeliveries(sql: SqlStorage, time: number, maxBytes: number): boolean {
	const before = sql.databaseSize > maxBytes ? Number.MAX_SAFE_INTEGER : positionOfTime(time);
	// If a delivery were deleted before its inbox row, it would be read from the inbox
	// again.
	const untried = "coalesce((SELECT min(seq) FROM inbox), 9e15)";
	const oldest = `SELECT seq FROM deliveries WHERE seq < min(?, ${untried}) AND ${FINISHED} ORDER BY seq LIMIT ${SWEEP_ROWS}`;
	const swept = sql.exec<{ seq: number }>(
		`DELETE FROM deliveries WHERE seq IN (${oldest}) RETURNING seq`,
		before,
	);
	const seqs = swept.toArray().map(({ seq }) => seq);
	sql.exec("DELETE FROM large_texts WHERE seq IN (SELECT value FROM json_each(?))", JSON.stringify(seqs));
	return seqs.length === SWEEP_ROWS;
}
