/**
 * The event log: the recent events of one source with their routing decisions, in SQLite. It is the authority on
 * whether an event is new, so that a publisher's retry or a redelivered queue message creates nothing, and it
 * holds events that are too large for a queue message. It knows nothing of how decisions are made or carried out.
 *
 * Cost: one row written for a whole append. Duplicates are recognised among the latest `WINDOW` events of the
 * source; behind that, deliveries are still idempotent by their ids.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { DECISION_BYTES, type Decision, type SluiceEvent } from "./event.ts";
import { HASH_LENGTH } from "./ids.ts";
import {
	entriesOf,
	hashOf,
	type LogEntry,
	type LogQuery,
	type NewEntry,
	type SegmentRow,
	textOfType,
	withoutData,
} from "./log-rows.ts";
import { nextPosition, positionOfTime, rangeOf, type Slice } from "./position.ts";
import { encodeSegment, splitBySize } from "./segment.ts";
import { typeMatches } from "./type-pattern.ts";
import { migrate, type SchemaSteps } from "../store/object-schema.ts";

const SCHEMA: SchemaSteps = [
	`CREATE TABLE IF NOT EXISTS segments (
		seq INTEGER PRIMARY KEY, ids TEXT NOT NULL, segment TEXT NOT NULL, decisions TEXT NOT NULL);
	CREATE TABLE IF NOT EXISTS spilled (
		key TEXT, part INTEGER, stored_at INTEGER NOT NULL, segment TEXT NOT NULL, PRIMARY KEY (key, part)
	) WITHOUT ROWID`,
];

const RETENTION_MS = 7 * 86_400_000;
const SWEEP_EVERY_MS = 86_400_000;
/** While there is more to forget than one go takes. */
const SWEEP_ON_MS = 1_000;
const WINDOW = 100_000;
/** A row may hold 2 MB; a single event takes up to 1.4 MB of it. */
const MAX_ROW_BYTES = 1_200_000;
/** Of the 10 GB that a Durable Object holds; above it the oldest events go before their time. */
const MAX_BYTES = 8_000_000_000;
/** Characters that one call of `list` reads, some tens of milliseconds. */
const MAX_LISTED_TEXT = 16_000_000;
/** Rows forgotten in one go, so that the object answers in between; half a gigabyte at the very most. */
const SWEEP_ROWS = 500;

export class EventLog extends DurableObject<Env> {
	readonly #sql = this.ctx.storage.sql;
	/** Hash part of the id → position, oldest first; loaded when first needed. */
	#recent: Map<string, number> | null = null;
	#last = 0;
	/** When the alarm comes, ms since the epoch; null: not known. */
	#sweepAt: number | null = null;

	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		migrate(ctx.storage, SCHEMA);
	}

	/**
	 * Stores the events that are new, in one transaction. Answers for each entry null when it was new, else the
	 * decisions that were stored when it first came: those are to be carried out again, not the new ones.
	 */
	async append(entries: NewEntry[]): Promise<(Decision[] | null)[]> {
		const recent = this.#window();
		const fresh = new Map<string, NewEntry>();
		const known = entries.map((entry) => {
			const hash = hashOf(entry.event.id);
			const position = recent.get(hash);
			const stored = position === undefined ? null : this.#entryAt(position);
			if (stored !== null) return stored.decisions;
			const twin = fresh.get(hash);
			if (twin !== undefined) return twin.decisions;
			fresh.set(hash, entry);
			return null;
		});
		if (fresh.size > 0) this.#store([...fresh.values()], recent);
		await this.#armSweep();
		return known;
	}

	/** Keeps events that are too large for the queue until they are routed. Storing the same key twice is one. */
	async spill(key: string, segments: string[]): Promise<void> {
		this.ctx.storage.transactionSync(() => {
			segments.forEach((segment, part) => {
				this.#sql.exec("INSERT OR IGNORE INTO spilled VALUES (?, ?, ?, ?)", key, part, Date.now(), segment);
			});
		});
		await this.#armSweep();
	}

	/** The segments stored under `key`, in order; empty when they have been routed and dropped. */
	readSpilled(key: string): string[] {
		return this.#sql
			.exec<{ segment: string }>("SELECT segment FROM spilled WHERE key = ? ORDER BY part", key)
			.toArray()
			.map((row) => row.segment);
	}

	dropSpilled(key: string): void {
		this.#sql.exec("DELETE FROM spilled WHERE key = ?", key);
	}

	get(id: string): LogEntry | null {
		const hash = hashOf(id);
		const position = this.#window().get(hash);
		if (position !== undefined) return this.#entryAt(position);
		const row = this.#sql
			.exec<SegmentRow>("SELECT seq, segment, decisions FROM segments WHERE instr(ids, ?) > 0 LIMIT 1", hash)
			.toArray()[0];
		return (row && entriesOf(row).find((entry) => entry.event.id === id)) ?? null;
	}

	/** Without payloads: a page of them could be larger than an answer may be. */
	list(query: LogQuery): Slice<LogEntry> {
		const { since, before } = rangeOf(query);
		const wanted = textOfType(query.type);
		const items: LogEntry[] = [];
		let read = 0;
		// A segment's key is the position of its first entry, so the one that spans `since` has a smaller key.
		const rows = this.#sql.exec<SegmentRow>(
			`SELECT seq, segment, decisions FROM segments
			 WHERE seq < ? AND seq >= coalesce((SELECT max(seq) FROM segments WHERE seq <= ?), 0)
			 ORDER BY seq DESC`,
			before,
			since,
		);
		for (const row of rows) {
			for (const entry of row.segment.includes(wanted) ? entriesOf(row).reverse() : []) {
				if (entry.position >= before || entry.position < since) continue;
				if (query.type === undefined || typeMatches(query.type, entry.event.attributes.type))
					items.push(withoutData(entry));
				if (items.length === query.limit) return { items, rest: null };
			}
			read += row.segment.length;
			if (read > MAX_LISTED_TEXT) return { items, rest: row.seq };
		}
		return { items, rest: null };
	}

	override async alarm(): Promise<void> {
		const oldest = Date.now() - RETENTION_MS;
		const before = this.#isFull() ? Number.MAX_SAFE_INTEGER : positionOfTime(oldest);
		const swept = this.#sql.exec(
			"DELETE FROM segments WHERE seq IN (SELECT seq FROM segments WHERE seq < ? ORDER BY seq LIMIT ?)",
			before,
			SWEEP_ROWS,
		);
		this.#sql.exec("DELETE FROM spilled WHERE stored_at < ?", oldest);
		// What has been forgotten must not be taken for known.
		this.#recent = null;
		const { left } = this.#sql
			.exec<{ left: number }>(
				"SELECT EXISTS (SELECT 1 FROM segments) OR EXISTS (SELECT 1 FROM spilled) AS left",
			)
			.one();
		const more = swept.rowsWritten >= SWEEP_ROWS;
		this.#sweepAt = null;
		if (left === 1) await this.#armSweep(more ? SWEEP_ON_MS : SWEEP_EVERY_MS);
	}

	#store(entries: NewEntry[], recent: Map<string, number>): void {
		const decisionsOf = new Map(entries.map(({ event, decisions }) => [event, decisions]));
		const decisionBytes = (event: SluiceEvent) => (decisionsOf.get(event)?.length ?? 0) * DECISION_BYTES;
		const stored: [hash: string, position: number][] = [];
		let last = this.#last;
		this.ctx.storage.transactionSync(() => {
			for (const events of splitBySize([...decisionsOf.keys()], MAX_ROW_BYTES, decisionBytes)) {
				const seq = nextPosition(last, Date.now());
				const hashes = events.map((event) => hashOf(event.id));
				this.#sql.exec(
					"INSERT INTO segments (seq, ids, segment, decisions) VALUES (?, ?, ?, ?)",
					seq,
					hashes.join(""),
					encodeSegment(events),
					JSON.stringify(events.map((event) => decisionsOf.get(event))),
				);
				hashes.forEach((hash, index) => stored.push([hash, seq + index]));
				last = seq + events.length - 1;
			}
		});
		// Only now: a transaction that failed must leave no event known.
		this.#last = last;
		for (const [hash, position] of stored) recent.set(hash, position);
		for (const hash of recent.keys()) {
			if (recent.size <= WINDOW) break;
			recent.delete(hash);
		}
	}

	#window(): Map<string, number> {
		if (this.#recent !== null) return this.#recent;
		const rows: { seq: number; ids: string }[] = [];
		let count = 0;
		for (const row of this.#sql.exec<{ seq: number; ids: string }>(
			"SELECT seq, ids FROM segments ORDER BY seq DESC",
		)) {
			rows.push(row);
			count += row.ids.length / HASH_LENGTH;
			if (count >= WINDOW) break;
		}
		const recent = new Map<string, number>();
		for (const { seq, ids } of rows.reverse()) {
			for (let index = 0; index < ids.length / HASH_LENGTH; index++) {
				recent.set(ids.slice(index * HASH_LENGTH, (index + 1) * HASH_LENGTH), seq + index);
				this.#last = seq + index;
			}
		}
		this.#recent = recent;
		return recent;
	}

	#entryAt(position: number): LogEntry | null {
		const row = this.#sql
			.exec<SegmentRow>(
				"SELECT seq, segment, decisions FROM segments WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
				position,
			)
			.toArray()[0];
		return (row && entriesOf(row)[position - row.seq]) ?? null;
	}

	#isFull(): boolean {
		return this.#sql.databaseSize > MAX_BYTES;
	}

	/** One alarm a day while there is something to forget; at once when a day's events may be more than there is room for. */
	async #armSweep(inMs = this.#isFull() ? SWEEP_ON_MS : SWEEP_EVERY_MS): Promise<void> {
		const at = Date.now() + inMs;
		if (this.#sweepAt !== null && this.#sweepAt <= at) return;
		const set = await this.ctx.storage.getAlarm();
		this.#sweepAt = set === null ? at : Math.min(set, at);
		if (this.#sweepAt !== set) await this.ctx.storage.setAlarm(this.#sweepAt);
	}
}
