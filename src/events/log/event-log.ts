/**
 * The event log: the recent events of one source with their routing decisions, in SQLite. It decides whether an event
 * is new, so that a publisher's retry or a redelivered queue message creates no duplicate, and it stores events that
 * are too large for a queue message. It does not know how decisions are made or carried out.
 *
 * Cost: one row write per append. Duplicates are detected among the latest 100,000 events of the source; for older
 * events, deliveries are still idempotent by their ids.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { Alarm } from "../../objects/alarm.ts";
import { migrate, type SchemaSteps } from "../../objects/schema.ts";
import { DECISION_BYTES, type Decision } from "../event.ts";
import { type KnownEntry, type LogEntry, type LogQuery, type NewEntry } from "./entry.ts";
import { putRefusals, type Refusal } from "./refusals.ts";
import { hashOf } from "./rows.ts";
import { decisionReader, entryAt, findEntry, listEntries, putEntries, sweepSegments } from "./segments.ts";
import {
	dropSpilled,
	MAX_SPILLED_BYTES,
	putSpilled,
	readSpilled,
	spilledBytes,
	sweepSpilled,
} from "./spilled.ts";
import { extendWindow, loadWindow, type Window } from "./window.ts";
import type { EventLogRpc } from "./rpc.ts";
import { positionOfTime, type Slice, timeOfPosition } from "../position.ts";

const SCHEMA: SchemaSteps = [
	`CREATE TABLE IF NOT EXISTS segments (
		seq INTEGER PRIMARY KEY, ids TEXT NOT NULL, segment TEXT NOT NULL, decisions TEXT NOT NULL);
	CREATE TABLE IF NOT EXISTS spilled (
		key TEXT, part INTEGER, stored_at INTEGER NOT NULL, segment TEXT NOT NULL, PRIMARY KEY (key, part)
	) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS long_decisions (
		seq INTEGER, part INTEGER, text TEXT NOT NULL, PRIMARY KEY (seq, part)
	) WITHOUT ROWID`,
];

const RETENTION_MS = 7 * 86_400_000;
const SWEEP_EVERY_MS = 86_400_000;
/** The delay between sweeps while there are more rows to delete. */
const SWEEP_ON_MS = 1_000;
/** The delay after a sweep that did not finish. */
const SWEEP_AGAIN_MS = 60_000;
/** Of the 10 GB that a Durable Object can store. Above it, the oldest events are deleted early. */
const MAX_HISTORY_BYTES = 8_000_000_000;
/** Rows deleted per sweep, so that the object can handle calls in between; at most half a gigabyte. */
const SWEEP_ROWS = 500;
/** The size of decisions in one response: an RPC call may carry 32 MiB. */
const MAX_ANSWER_BYTES = 8_000_000;

export class EventLog extends DurableObject<Env> implements EventLogRpc {
	readonly #sql = this.ctx.storage.sql;
	/** Loaded when first needed. */
	#recent: Window | null = null;
	readonly #alarm = new Alarm(this.ctx);

	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		migrate(ctx.storage, SCHEMA);
	}

	async append(entries: NewEntry[], bounded = false): Promise<(KnownEntry | Decision[] | null)[]> {
		const known = await this.#append(entries, bounded ? MAX_ANSWER_BYTES : Number.POSITIVE_INFINITY);
		return bounded ? known : known.map((entry) => entry && entry.decisions);
	}

	async #append(entries: readonly NewEntry[], maxBytes: number): Promise<(KnownEntry | null)[]> {
		const recent = this.#window();
		const decisionsAt = decisionReader(this.#sql);
		const fresh = new Map<string, NewEntry>();
		const known: (KnownEntry | null)[] = [];
		let bytes = 0;
		for (const entry of entries) {
			if (bytes >= maxBytes) break;
			const hash = hashOf(entry.event.id);
			const position = recent.positions.get(hash);
			const first = position === undefined ? null : decisionsAt(position);
			const twin = fresh.get(hash);
			if (first !== null) known.push(first);
			else if (twin !== undefined) known.push({ decisions: twin.decisions, storedAt: Date.now() });
			else {
				fresh.set(hash, entry);
				known.push(null);
			}
			bytes += (known.at(-1)?.decisions.length ?? 0) * DECISION_BYTES;
		}
		if (fresh.size > 0) this.#store([...fresh.values()], recent);
		await this.#armSweep();
		return known;
	}

	async spill(key: string, segments: string[]): Promise<void> {
		if (spilledBytes(this.#sql) > MAX_SPILLED_BYTES) {
			throw new Error(`more than ${MAX_SPILLED_BYTES} bytes of large events wait to be routed`);
		}
		this.ctx.storage.transactionSync(() => putSpilled(this.#sql, key, segments, Date.now()));
		await this.#armSweep();
	}

	readSpilled(key: string): string[] {
		return readSpilled(this.#sql, key);
	}

	dropSpilled(key: string): void {
		dropSpilled(this.#sql, key);
	}

	noteRefused(refusals: Refusal[], isRefused: boolean): void {
		const { positions } = this.#window();
		const found = new Map<number, Set<string>>();
		for (const { eventId, deliveryIds } of refusals) {
			// A search through all stored rows is done only for a single event.
			const sought = refusals.length === 1 ? findEntry(this.#sql, eventId)?.position : undefined;
			const position = positions.get(hashOf(eventId)) ?? sought;
			if (position !== undefined) found.set(position, new Set(deliveryIds));
		}
		this.ctx.storage.transactionSync(() => putRefusals(this.#sql, found, isRefused));
	}

	get(id: string): LogEntry | null {
		const position = this.#window().positions.get(hashOf(id));
		return position === undefined ? findEntry(this.#sql, id) : entryAt(this.#sql, position);
	}

	list(query: LogQuery): Slice<LogEntry> {
		return listEntries(this.#sql, query);
	}

	newestAt(): number | null {
		const { seq } = this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM segments").one();
		return seq === null ? null : timeOfPosition(seq);
	}

	/** Never throws: the platform drops an alarm that fails several times in a row. */
	override async alarm(): Promise<void> {
		this.#alarm.goneOff();
		// Set first and durably, because the platform stops an object whose sweep takes too long.
		await this.#alarm.arm(Date.now() + SWEEP_AGAIN_MS);
		await this.ctx.storage.sync();
		try {
			const isMore = this.#sweep(Date.now());
			// In the same turn as the check, so that no append runs in between.
			const next = isMore ? SWEEP_ON_MS : SWEEP_EVERY_MS;
			await this.#alarm.move(this.#isEmpty() ? null : Date.now() + next);
		} catch (error) {
			log("event_log.sweep_failed", { error: String(error) });
		}
	}

	/** Returns whether there are more rows to delete. */
	#sweep(now: number): boolean {
		const before = this.#isFull() ? Number.MAX_SAFE_INTEGER : positionOfTime(now - RETENTION_MS);
		const moreSegments = sweepSegments(this.#sql, before, SWEEP_ROWS) === SWEEP_ROWS;
		const moreSpilled = sweepSpilled(this.#sql, now);
		// Deleted events must not count as known.
		this.#recent = null;
		return moreSegments || moreSpilled;
	}

	#isEmpty(): boolean {
		const sql = "SELECT EXISTS (SELECT 1 FROM segments) OR EXISTS (SELECT 1 FROM spilled) AS any_left";
		return this.#sql.exec<{ any_left: number }>(sql).one().any_left === 0;
	}

	#store(entries: readonly NewEntry[], recent: Window): void {
		const stored = this.ctx.storage.transactionSync(() =>
			putEntries(this.#sql, entries, recent.last, Date.now()),
		);
		// After the transaction, because a failed one must not make events known.
		extendWindow(recent, stored);
	}

	#window(): Window {
		this.#recent ??= loadWindow(this.#sql);
		return this.#recent;
	}

	/** Returns whether the history is full. Spilled events have a separate limit. */
	#isFull(): boolean {
		const size = this.#sql.databaseSize;
		return size > MAX_HISTORY_BYTES && size - spilledBytes(this.#sql) > MAX_HISTORY_BYTES;
	}

	/**
	 * Sets an alarm once a day while there are rows to delete, or immediately if a day's events may exceed the limit.
	 */
	async #armSweep(): Promise<void> {
		await this.#alarm.arm(Date.now() + (this.#isFull() ? SWEEP_ON_MS : SWEEP_EVERY_MS));
	}
}
