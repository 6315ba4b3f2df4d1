/**
 * The bulk jobs of one dispatcher: kept in its storage and run one after the other, one slice per
 * alarm. A slice and its progress are written together, so that nothing is counted twice after a
 * crash.
 */
import * as z from "zod";
import { type BulkOrder, type BulkPart, NO_COUNTS } from "./order.ts";
import { CHANGED_AT_ONCE, type SliceParts, Slices } from "./slices.ts";
import { isRunning, type Job, storedJob } from "./stored-job.ts";

/** Wait until the servers have been told, ms. */
const TELL_AGAIN_MS = 200;
/** Jobs that are kept, including finished ones. */
const MAX_JOBS = 50;
const KEY = "bulk";

export interface BulkParts extends Omit<SliceParts, "ctx" | "save"> {
	ctx: Pick<DurableObjectState, "storage" | "waitUntil">;
}

export class BulkRunner {
	readonly #parts: BulkParts;
	readonly #slices: Slices;
	readonly #jobs: Job[];
	#isBusy = false;

	constructor(parts: BulkParts) {
		this.#parts = parts;
		this.#slices = new Slices({ ...parts, save: () => this.#save() });
		const kept = z
			.array(z.unknown())
			.catch([])
			.parse(parts.ctx.storage.kv.get(KEY) ?? []);
		this.#jobs = kept.flatMap((job) => storedJob.safeParse(job).data ?? []);
	}

	get isRunning(): boolean {
		return this.#next !== undefined;
	}

	find(id: string): BulkPart | null {
		return this.#jobs.find(({ order }) => order.id === id)?.part ?? null;
	}

	/**
	 * Begins an order for the deliveries that exist now. Idempotent. Throws if there are too many
	 * jobs.
	 */
	begin(order: BulkOrder): BulkPart {
		const known = this.find(order.id);
		if (known !== null) return known;
		while (this.#jobs.length >= MAX_JOBS) {
			const finished = this.#jobs.findIndex(({ part }) => part.status !== "running");
			if (finished === -1) throw new Error("too many bulk jobs are waiting at this endpoint");
			this.#jobs.splice(finished, 1);
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

	#save(): void {
		this.#parts.ctx.storage.kv.put(KEY, this.#jobs);
	}
}
