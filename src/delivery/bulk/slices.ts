/**
 * The slices of a bulk job in one dispatcher, each of bounded size: untried deliveries first, then
 * those in the table, then those refused for lack of room. Deliveries in flight are skipped.
 */
import type { Env } from "../../env.ts";
import { protocolOf } from "../../models/registry.ts";
import { log } from "../../log.ts";
import type { Flights } from "../flights.ts";
import type { Backlog } from "../ledger/backlog.ts";
import { asksForEvent, isEventWanted, isPlaceWanted } from "../ledger/queries/filters.ts";
import { narrowed } from "../ledger/queries/matching.ts";
import { readmit, tellReadmitted } from "../calls/readmit.ts";
import type { DeliveryStatus } from "../records.ts";
import { canceled, retried } from "../rules/by-hand.ts";
import type { Delivery } from "../rules/delivery.ts";
import type { Reachable } from "../tasks/exchange-step.ts";
import { addCounts, type BulkCounts, NO_COUNTS, statusesOf } from "./order.ts";
import type { Job } from "./stored-job.ts";

/**
 * Deliveries that one slice changes; the same as the number that one burial slice
 * ends.
 */
export const CHANGED_AT_ONCE = 200;
/** Deliveries in the table that one slice counts. */
const COUNTED_AT_ONCE = 5_000;
/** Each costs a call to an event log. */
const READMITTED_AT_ONCE = 20;
/** Characters of events that one slice reads. */
const SLICE_TEXT = 4_000_000;
/** How many servers are notified of canceled jobs at once; the object needs its other connections for sending. */
const TOLD_AT_ONCE = 3;

export interface SliceParts {
	env: Env;
	ctx: Pick<DurableObjectState, "waitUntil">;
	backlog: Backlog;
	flights: Flights;
	/** What is needed to notify a server of a canceled job; null: it cannot be notified. */
	reachable(): Reachable | null;
	/** Tells a server that a job is no longer needed. Never throws. */
	tell(delivery: Delivery, settings: Reachable): Promise<void>;
	/** Writes the progress of the jobs. */
	save(): void;
}

export class Slices {
	readonly #parts: SliceParts;
	#telling = 0;

	constructor(parts: SliceParts) {
		this.#parts = parts;
	}

	/**
	 * Returns true if the next slice has to wait until servers have been notified. Changes and progress are written
	 * together.
	 */
	async next(job: Job): Promise<boolean> {
		if (job.stage === "refused") await this.#refused(job);
		const isWaiting =
			job.stage === "untried" ? this.#untried(job) : job.stage === "tried" ? this.#tried(job) : false;
		this.#parts.save();
		return isWaiting;
	}

	/** A retry skips untried deliveries: their whole schedule is still ahead. */
	#untried(job: Job): boolean {
		const { backlog } = this.#parts;
		const { action, dryRun, filters } = job.order;
		const isOver = action === "retry" || !statusesOf(job.order).includes("pending");
		if (isOver || filters.statusCode !== undefined) return enter(job, "tried");
		const { end } = narrowed(job, filters);
		const found: Delivery[] = [];
		const rows: { seq: number; last: number }[] = [];
		let text = 0;
		let after = narrowed(job, filters).after;
		let isLast = false;
		while (found.length < CHANGED_AT_ONCE && text < SLICE_TEXT) {
			const row = after >= end ? null : backlog.untriedBehind(after);
			isLast = row === null || row.seq > end;
			if (row === null || isLast) break;
			const wanted = row.deliveries.filter((delivery) => isUntriedWanted(delivery, job));
			const taken = wanted.slice(0, CHANGED_AT_ONCE - found.length);
			found.push(...taken);
			after = taken.length < wanted.length ? (taken.at(-1)?.position ?? after) : row.last;
			if (after === row.last && taken.length > 0) rows.push(row);
			text += row.size;
		}
		if (dryRun) count(job, { matched: found.length });
		else {
			this.#change(job, found);
			for (const { seq } of rows) backlog.dropIfFinished(seq);
		}
		job.after = after;
		return isLast ? enter(job, "tried") : false;
	}

	#tried(job: Job): boolean {
		const { backlog } = this.#parts;
		const { dryRun, filters, action } = job.order;
		const statuses = statusesOf(job.order).filter(isStored);
		const limit = dryRun ? COUNTED_AT_ONCE : CHANGED_AT_ONCE;
		const { items, upTo } = backlog.matching(filters, statuses, job, limit);
		if (dryRun) count(job, { matched: items.length });
		const found: Delivery[] = [];
		let [text, told] = [0, this.#telling];
		let stoppedAt: number | null = null;
		for (const { seq, id } of dryRun ? [] : items) {
			const delivery = backlog.findTried(id);
			const isTold = action === "cancel" && delivery?.state.phase === "waiting" && this.#canTell();
			if (text > SLICE_TEXT || (isTold && told >= TOLD_AT_ONCE)) {
				stoppedAt = seq - 1;
				break;
			}
			if (isTold) told += 1;
			if (delivery === null) continue;
			text += sizeOf(delivery);
			found.push(delivery);
		}
		this.#change(job, found);
		const reached = stoppedAt ?? upTo;
		if (reached === null) return enter(job, action === "retry" ? "refused" : "done");
		job.after = reached;
		return stoppedAt !== null && told >= TOLD_AT_ONCE;
	}

	async #refused(job: Job): Promise<void> {
		const { backlog } = this.#parts;
		const { dryRun, filters } = job.order;
		const { reason = "backlog_full", statusCode } = filters;
		const isNone = !statusesOf(job.order).includes("dead") || reason !== "backlog_full";
		if (isNone || statusCode !== undefined) return void enter(job, "done");
		const limit = dryRun ? COUNTED_AT_ONCE : READMITTED_AT_ONCE;
		const { items, upTo } = backlog.refused.matching(filters, narrowed(job, filters), limit);
		// Those that have been readmitted are in the table, and some are recorded twice.
		const known = backlog.known(items.map(({ decision }) => decision.deliveryId));
		for (const { position, decision } of items) {
			if (job.part.status !== "running") return;
			const id = decision.deliveryId;
			if (known.has(id)) continue;
			known.add(id);
			if (dryRun) count(job, { matched: 1 });
			else {
				count(job, { matched: 1, ...(await this.#readmit(id)) });
				// Each is written at once, so that after a crash none is missed or counted twice.
				job.after = position;
				this.#parts.save();
			}
		}
		if (upTo === null) enter(job, "done");
		else job.after = upTo;
	}

	/** Never throws: deliveries that cannot be read now count as failed, so that the following jobs get their turn. */
	async #readmit(id: string): Promise<Partial<BulkCounts>> {
		const { backlog, env, ctx } = this.#parts;
		try {
			const readmitted = await readmit(id, backlog, env);
			if (readmitted === null) return { skipped: 1 };
			if ("ok" in readmitted) return { failed: 1 };
			ctx.waitUntil(tellReadmitted(readmitted, env));
			return { done: 1 };
		} catch (error) {
			log("bulk.not_readmitted", { delivery_id: id, error: String(error) });
			return { failed: 1 };
		}
	}

	/** Changes those that are not in flight, all in one transaction. */
	#change(job: Job, found: readonly Delivery[]): void {
		const { backlog, flights, ctx } = this.#parts;
		const isRetry = job.order.action === "retry";
		const context = { now: Date.now(), random: Math.random() };
		const free = found.filter(({ id }) => !flights.claimed.has(id));
		const changes: { before: Delivery; after: Delivery }[] = [];
		let room = isRetry ? backlog.roomFor(free.length, context.now) : free.length;
		let failed = 0;
		for (const before of free) {
			const after = isRetry ? retried(before, context) : canceled(before, context);
			const needsRoom = !("dueAt" in before.state);
			if ("ok" in after || (isRetry && needsRoom && room === 0)) failed += 1;
			else {
				if (isRetry && needsRoom) room -= 1;
				changes.push({ before, after });
			}
		}
		backlog.changeAll(changes);
		count(job, {
			matched: found.length,
			done: changes.length,
			skipped: found.length - free.length,
			failed,
		});
		const settings = isRetry ? null : this.#parts.reachable();
		for (const { before } of settings === null ? [] : changes) {
			if (before.state.phase === "waiting" && settings !== null) ctx.waitUntil(this.#tell(before, settings));
		}
	}

	#canTell(): boolean {
		const settings = this.#parts.reachable();
		return settings !== null && protocolOf(settings.endpoint.protocol)?.jobs?.cancel !== undefined;
	}

	async #tell(delivery: Delivery, settings: Reachable): Promise<void> {
		this.#telling += 1;
		try {
			await this.#parts.tell(delivery, settings);
		} finally {
			this.#telling -= 1;
		}
	}
}

/** false: there is nothing to wait for. */
function enter(job: Job, stage: Job["stage"] | "done"): false {
	if (stage !== "done") [job.stage, job.after] = [stage, 0];
	else if (job.part.status === "running") job.part = { ...job.part, status: "done" };
	return false;
}

function count(job: Job, more: Partial<BulkCounts>): void {
	job.part = { ...job.part, ...addCounts(job.part, { ...NO_COUNTS, ...more }) };
}

function isUntriedWanted(delivery: Delivery, { order: { filters }, end }: Job): boolean {
	const { position, event } = delivery;
	if (position > end || !isPlaceWanted(delivery, filters)) return false;
	return !asksForEvent(filters) || (event !== null && isEventWanted(event, filters));
}

function isStored(status: DeliveryStatus): status is Exclude<DeliveryStatus, "in_flight"> {
	return status !== "in_flight";
}

/** Size in characters of the parts that may be large. */
function sizeOf({ event, result, resultEvent }: Delivery): number {
	return [event?.data, result?.data, resultEvent?.data].reduce((sum, data) => {
		if (data === null || data === undefined) return sum;
		return sum + (data.kind === "binary" ? data.base64.length : data.text.length);
	}, 0);
}
