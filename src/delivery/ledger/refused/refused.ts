/**
 * The deliveries that did not fit, in SQLite, without their events. One row holds up to a thousand
 * from one call, so that refusing costs less than accepting; the latest 100,000 are kept. A
 * delivery that is sent later leaves this list and gets its own row in the delivery table.
 */
import { nextPosition, positionOfTime, rangeOf, type Slice } from "../../../events/position.ts";
import type { DeliveryFilters, DeliveryQuery } from "../../records.ts";
import type { Delivery } from "../../rules/delivery.ts";
import { waitingIn } from "../inbox/inbox-search.ts";
import type { IncomingEvent } from "../inbox/incoming.ts";
import type { Matching, Stretch } from "../queries/matching.ts";
import { refusedDelivery, type RefusedEntry } from "./refused-delivery.ts";
import { decodeEntries, encodeEntries, isEntryWanted, searchedBy } from "./refused-entries.ts";

/** About 40 MB. */
const MAX_REMEMBERED = 100_000;
/** A row may hold 2 MB; this is a fifth of it. */
const MAX_ROW_ENTRIES = 1_000;
/** Rows that one call of `list` looks at, some tens of milliseconds. */
const LOOK_ROWS = 1_000;
const LOOK_TEXT = 8_000_000;
/** Rows that one call of `matching` looks at: some megabytes. */
const MATCHED_ROWS = 10;

type Row = { seq: number; size: number; decisions: string };

interface Found {
	seq: number;
	size: number;
	entries: RefusedEntry[];
}

export class Refused {
	readonly #sql: SqlStorage;
	/** Number of entries written; null: not counted since the object woke. */
	#count: number | null = null;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
	}

	/**
	 * Records deliveries at positions after `last`, and returns the last position used. Call it in a
	 * transaction.
	 */
	put(items: readonly IncomingEvent[], last: number, now: number): number {
		let used = last;
		const entries = items.flatMap(({ event, decisions }) =>
			decisions.map((decision): RefusedEntry => {
				used = nextPosition(used, now);
				return { position: used, eventId: event.id, decision, ...searchedBy(event) };
			}),
		);
		const before = this.#counted();
		for (let at = 0; at < entries.length; at += MAX_ROW_ENTRIES) {
			const row = entries.slice(at, at + MAX_ROW_ENTRIES);
			this.#sql.exec(
				"INSERT INTO refused (seq, size, decisions) VALUES (?, ?, ?)",
				row[0]?.position,
				row.length,
				encodeEntries(row),
			);
		}
		this.#count = this.#forget(before + entries.length);
		return used;
	}

	/**
	 * Which of these deliveries are here, from events that the event log has had since `storedAt`, ms
	 * since the epoch.
	 */
	among(ids: ReadonlySet<string>, storedAt: number): Set<string> {
		return waitingIn(this.#sql, "refused", ids, storedAt);
	}

	find(id: string): Delivery | null {
		const entry = this.#rowOf(id)?.entries.find(({ decision }) => decision.deliveryId === id);
		return entry === undefined ? null : refusedDelivery(entry);
	}

	/** Removes a delivery that is now stored elsewhere. */
	drop(id: string): void {
		// It may be in several rows, if the response to a call was lost and the call was
		// repeated.
		for (let row = this.#rowOf(id); row !== null && this.#dropFrom(row, id); row = this.#rowOf(id));
	}

	/** false if it is not there, or if this release cannot read the row. */
	#dropFrom(row: Found, id: string): boolean {
		const left = row.entries.filter(({ decision }) => decision.deliveryId !== id);
		if (left.length === row.entries.length) return false;
		// The row's size does not change, because it shows which positions have been
		// used.
		if (left.length > 0) {
			this.#sql.exec("UPDATE refused SET decisions = ? WHERE seq = ?", encodeEntries(left), row.seq);
			return true;
		}
		this.#sql.exec("DELETE FROM refused WHERE seq = ?", row.seq);
		if (this.#count !== null) this.#count -= row.size;
		return true;
	}

	/** Newest first. */
	list(query: DeliveryQuery): Slice<Delivery> {
		if (query.status !== undefined && query.status !== "dead") return { items: [], rest: null };
		if (query.reason !== undefined && query.reason !== "backlog_full") return { items: [], rest: null };
		// It was never sent.
		if (query.statusCode !== undefined) return { items: [], rest: null };
		const { since, before } = rangeOf(query);
		const items: Delivery[] = [];
		let [rows, text] = [0, 0];
		for (const { seq, decisions } of this.#sql.exec<Row>(
			"SELECT seq, size, decisions FROM refused WHERE seq < ? ORDER BY seq DESC",
			before,
		)) {
			for (const entry of decodeEntries(decisions).reverse()) {
				if (isEntryWanted(entry, query)) items.push(refusedDelivery(entry));
			}
			if (items.length >= query.limit || seq < since) break;
			text += decisions.length;
			if (++rows === LOOK_ROWS || text > LOOK_TEXT) return { items, rest: seq };
		}
		return { items: items.slice(0, query.limit), rest: null };
	}

	/** Matching deliveries within a range of positions, oldest first; up to `limit`, from a few rows at most. */
	matching(filters: DeliveryFilters, { after, end }: Stretch, limit: number): Matching<RefusedEntry> {
		const first = this.#sql
			.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM refused WHERE seq <= ?", after + 1)
			.one().seq;
		const rows = this.#sql
			.exec<Row>(
				"SELECT seq, size, decisions FROM refused WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
				first ?? 0,
				end,
				MATCHED_ROWS,
			)
			.toArray();
		const wanted = rows
			.flatMap(({ decisions }) => decodeEntries(decisions))
			.filter((entry) => entry.position > after && entry.position <= end && isEntryWanted(entry, filters));
		const items = wanted.slice(0, limit);
		if (wanted.length >= limit) return { items, upTo: items.at(-1)?.position ?? null };
		const last = rows.at(-1);
		const upTo = rows.length < MATCHED_ROWS || last === undefined ? null : last.seq + last.size - 1;
		return { items, upTo };
	}

	/** The last position that was used here. */
	get last(): number {
		const newest = this.#sql
			.exec<{ last: number }>("SELECT seq + size - 1 AS last FROM refused ORDER BY seq DESC LIMIT 1")
			.toArray()[0];
		return newest?.last ?? 0;
	}

	/** Deletes those refused before `time`, ms since the epoch. */
	sweep(time: number): void {
		const { rowsWritten } = this.#sql.exec("DELETE FROM refused WHERE seq < ?", positionOfTime(time));
		if (rowsWritten > 0) this.#count = null;
	}

	#rowOf(id: string): Found | null {
		const row = this.#sql
			.exec<Row>("SELECT seq, size, decisions FROM refused WHERE instr(decisions, ?) > 0 LIMIT 1", id)
			.toArray()[0];
		return row === undefined ? null : { ...row, entries: decodeEntries(row.decisions) };
	}

	#counted(): number {
		return (this.#count ??= this.#sql
			.exec<{ count: number }>("SELECT coalesce(sum(size), 0) AS count FROM refused")
			.one().count);
	}

	/**
	 * Deletes the oldest rows while there are more entries than allowed; returns how many are
	 * left.
	 */
	#forget(count: number): number {
		let left = count;
		while (left > MAX_REMEMBERED) {
			const gone = this.#sql
				.exec<{ size: number }>(
					"DELETE FROM refused WHERE seq = (SELECT min(seq) FROM refused) RETURNING size",
				)
				.toArray()[0];
			if (gone === undefined) return 0;
			left -= gone.size;
		}
		return left;
	}
}
