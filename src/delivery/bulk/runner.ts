/**
 * The bulk jobs of one dispatcher: kept in its storage and run one after the other, one slice per
 * alarm. A slice and its progress are written together, so that nothing is counted twice after a
 * crash.
 */
import * as z from "zod";
import { type BulkAnswer, type BulkOrder, type BulkPart, NO_COUNTS } from "./order.ts";
import { CHANGED_AT_ONCE, type SliceParts, Slices } from "./slices.ts";
import { isRunning, type Job, storedJob } from "./stored-job.ts";

/** Wait until the servers have been told, ms. */
const TELL_AGAIN_MS = 200;
/** Jobs that are kept, including finished ones. */
const MAX_JOBS = 50;
/** Ids of jobs that are no longer kept, so that a late repetition of their order is recognized. */
const MAX_FORGOTTEN = 500;
const KEY = "bulk";
const FORGOTTEN = "bulk_forgotten";

export interface BulkParts extends Omit<SliceParts, "ctx" | "save"> {
	ctx: Pick<DurableObjectState, "storage" | "waitUntil">;
}

export class BulkRunner {
	readonly #parts: BulkParts;
	readonly #slices: Slices;
	readonly #jobs: Job[];
	#forgotten: string[];
	#isBusy = false;

	constructor(parts: BulkParts) {
		this.#parts = parts;
		this.#slices = new Slices({ ...parts, save: () => this.#save() });
		const { kv } = parts.ctx.storage;
		const kept = z
			.array(z.unknown())
			.catch([])
			.parse(kv.get(KEY) ?? []);
		this.#forgotten = z
			.array(z.string())
			.catch([])
			.parse(kv.get(FORGOTTEN) ?? []);
		this.#jobs = kept.flatMap((job) => storedJob.safeParse(job).data ?? []);
	}

	get isRunning(): boolean {
		return this.#next !== undefined;
	}

	find(id: string): BulkAnswer | null {
		const job = this.#jobs.find(({ order }) => order.id === id);
		if (job !== undefined) return job.part;
		return this.#forgotten.includes(id) ? { status: "forgotten" } : null;
	}

	/** Begins an order for the deliveries that exist now. Idempotent. */
	begin(order: BulkOrder): BulkAnswer {
		const known = this.find(order.id);
		if (known !== null) return known;
		while (this.#jobs.length >= MAX_JOBS) {
			const finished = this.#jobs.findIndex((job) => !isRunning(job));
			if (finished === -1) return { status: "busy" };
			this.#forget(finished);
		}
		const part: BulkPart = { status: "running", ...NO_COUNTS };
		this.#jobs.push({ order, part, stage: "untried", after: 0, end: this.#parts.backlog.lastPosition });
		this.#save();
		return part;
	}

	/** What has been changed stays changed. null: there is no such job here. */
	stop(id: string): BulkPart | null {
		const job = this.#jobs.find(({ order }) => order.id === id);
		if (job === undefined) return null;
		if (job.part.status === "running") {
			job.part = { ...job.part, status: "canceled" };
			this.#save();
		}
		return job.part;
	}

	/**
	 * Runs one slice, or several that change few deliveries. Returns how long to wait for the next
	 * slice, ms; null: there is none.
	 */
	async goOn(): Promise<number | null> {
		const job = this.#next;
		if (job === undefined || this.#isBusy) return null;
		this.#isBusy = true;
		try {
			const { stage, part } = job;
			let isWaiting = await this.#slices.next(job);
			for (
				let before = stage;
				job.stage !== before && job.part.matched - part.matched < CHANGED_AT_ONCE && isRunning(job);
			) {
				before = job.stage;
				isWaiting = await this.#slices.next(job);
			}
			if (!this.isRunning) return null;
			return isWaiting ? TELL_AGAIN_MS : 0;
		} finally {
			this.#isBusy = false;
		}
	}

	get #next(): Job | undefined {
		return this.#jobs.find(isRunning);
	}

	#forget(index: number): void {
		const ids = this.#jobs.splice(index, 1).map(({ order }) => order.id);
		this.#forgotten = [...this.#forgotten, ...ids].slice(-MAX_FORGOTTEN);
		this.#parts.ctx.storage.kv.put(FORGOTTEN, this.#forgotten);
	}

	#save(): void {
		this.#parts.ctx.storage.kv.put(KEY, this.#jobs);
	}
}
