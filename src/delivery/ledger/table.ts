/**
 * The delivery table: every delivery that has been tried, or has ended without a try, in SQLite. A delivery that
 * succeeds at once is written here once, complete.
 */
import { positionOfTime, rangeOf, type Slice } from "../../events/position.ts";
import { log } from "../../log.ts";
import { COLUMNS, toStoredStatus, type DeliveryRow as Row } from "./columns.ts";
import type { Delivery } from "../rules/delivery.ts";
import type { Dead, Owed } from "../rules/state.ts";
import { fromRow, toRow } from "./row.ts";
import type { DeliveryQuery } from "../records.ts";

/** What never changes once the row is there is left out. */
const CHANGING = COLUMNS.slice(COLUMNS.indexOf("status"));
/** Columns that can be so large that together they would not fit into a row, which holds 2 MB. */
const TEXTS = ["event", "result", "result_event"] as const;
/** Longer texts stand in rows of their own; none is near 2 MB by itself. Characters, of up to three bytes. */
const LARGE = 150_000;
/** Stands in the column of a text that is elsewhere. */
const ELSEWHERE = "\u0000elsewhere";
const PAYLOADS: readonly string[] = ["event", "result_kind", "result", "result_event"];
const LISTED = COLUMNS.map((column) => (PAYLOADS.includes(column) ? `NULL AS ${column}` : column));
const PUT = `INSERT INTO deliveries (${COLUMNS.join(", ")}) VALUES (${COLUMNS.map(() => "?").join(", ")})
	ON CONFLICT (seq) DO UPDATE SET ${CHANGING.map((column) => `${column} = excluded.${column}`).join(", ")}`;

/**
 * Writes the delivery as it is now. The first time, two rows are written, and one more when it is due again; each
 * change after that writes one or two. Several statements: belongs in a transaction.
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
 * Writes a delivery that has no row yet, in one statement, which needs no transaction. false, with nothing written, when
 * a text is too large for that.
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

/** The delivery that is due longest and not among `except`. Those that cannot be read are set aside on the way. */
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

/** Only what says that it is over: the rest is for the release that wrote it. */
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

/** When the next delivery is due that is not among `except`. */
export function nextDueAt(sql: SqlStorage, which: Due, except: ReadonlyMap<string, unknown>): number | null {
	return nextDue(sql, which, except)?.due_at ?? null;
}

/** Without the rest of the row: those of `except` are passed over, and a payload may be large. */
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

/** Without payloads: a page of them could be larger than one call may return. */
export function listDeliveries(sql: SqlStorage, query: DeliveryQuery): Slice<Delivery> {
	const { status } = query;
	// Stands in no table.
	if (status === "in_flight") return { items: [], rest: null };
	const { since, before } = rangeOf(query);
	// A literal, because SQLite uses a partial index only where it can see the condition. Dead ones are often few.
	const among = status === "dead" || query.reason !== undefined ? "status = 'dead'" : "TRUE";
	const beyond = sql.exec<{ seq: number }>(
		`SELECT seq FROM deliveries WHERE seq >= ? AND seq < ? AND ${among} ORDER BY seq DESC LIMIT 1 OFFSET ?`,
		since,
		before,
		LOOK_ROWS,
	);
	const { seq: floor } = beyond.toArray()[0] ?? { seq: null };
	const filters = Object.entries({
		status: status && toStoredStatus(status),
		reason: query.reason,
		subscription_id: query.subscriptionId,
	}).filter((filter): filter is [string, string] => filter[1] !== undefined);
	const items = sql
		.exec<Row>(
			`SELECT ${LISTED.join(", ")} FROM deliveries WHERE seq >= ? AND seq < ? AND ${among}
			 ${filters.map(([column]) => `AND +${column} = ?`).join(" ")} ORDER BY seq DESC LIMIT ?`,
			floor ?? since,
			before,
			...filters.map(([, value]) => value),
			query.limit,
		)
		.toArray()
		.map(fromRow);
	return { items, rest: items.length < query.limit ? floor : null };
}

/** Rows forgotten by one statement, so that the object takes calls in between. */
const SWEEP_ROWS = 5_000;
const FINISHED = "status IN ('succeeded', 'dead', 'canceled')";

/**
 * Forgets finished deliveries, oldest first: those created before `time`, and more while there are over `maxBytes`.
 * What is still owed stays, however old. true when there may be more to forget.
 */
export function sweepDeliveries(sql: SqlStorage, time: number, maxBytes: number): boolean {
	const before = sql.databaseSize > maxBytes ? Number.MAX_SAFE_INTEGER : positionOfTime(time);
	// What ended before its row of the inbox did would come out of it once more.
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
