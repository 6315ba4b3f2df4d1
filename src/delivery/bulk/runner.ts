/**
 * The bulk jobs of one dispatcher: kept in its storage and run one after the other, one slice per
 * alarm. A slice and its progress are written together, so that nothing is counted twice after a
 * crash.
 */
import * as z from "zod";
import { type BulkAnswer, type BulkOrder, type BulkPart, NO_COUNTS } from "./order.ts";
import { CHANGED_AT_ONCE, type SliceParts, Slices } from "./slices.ts";
import { type EndedJob, isRunning, type Job, storedEndedJob, storedJob } from "./stored-job.ts";

/** The delay before the next slice while servers are being notified, ms. */
const TELL_AGAIN_MS = 200;
/** The maximum number of unfinished jobs. */
const MAX_JOBS = 50;
/** The number of ended jobs whose outcomes are kept. Each outcome is read within seconds. */
const MAX_ENDED = 500;
const KEY = "bulk";
const ENDED = "bulk_ended";

export interface BulkParts extends Omit<SliceParts, "ctx" | "save"> {
	ctx: Pick<DurableObjectState, "storage" | "waitUntil">;
}

export class BulkRunner {
	readonly #parts: BulkParts;
	readonly #slices: Slices;
	#jobs: Job[];
	/** Oldest first. */
	#ended: EndedJob[];
	#isEndedStored = true;
	#isBusy = false;

	constructor(parts: BulkParts) {
		this.#parts = parts;
		this.#slices = new Slices({ ...parts, save: () => this.#save() });
		const { kv } = parts.ctx.storage;
		const list = (key: string): unknown[] =>
			z
				.array(z.unknown())
				.catch([])
				.parse(kv.get(key) ?? []);
		this.#jobs = list(KEY).flatMap((job) => storedJob.safeParse(job).data ?? []);
		this.#ended = list(ENDED).flatMap((job) => storedEndedJob.safeParse(job).data ?? []);
		this.#setAsideEnded();
	}

	get isRunning(): boolean {
		return this.#next !== undefined;
	}

	find(id: string): BulkPart | null {
		const job =
			this.#jobs.find(({ order }) => order.id === id) ?? this.#ended.find((ended) => ended.id === id);
		return job?.part ?? null;
	}

	/** Begins an order for the deliveries that exist now. Idempotent. */
	begin(order: BulkOrder): BulkAnswer {
		const known = this.find(order.id);
		if (known !== null) return known;
		if (this.#jobs.length >= MAX_JOBS) return { status: "busy" };
		const part: BulkPart = { status: "running", ...NO_COUNTS };
		this.#jobs.push({ order, part, stage: "untried", after: 0, end: this.#parts.backlog.lastPosition });
		this.#save();
		return part;
	}

	/** Stops a job; changes that were already made remain. null: there is no such job here. */
	stop(id: string): BulkPart | null {
		const job = this.#jobs.find(({ order }) => order.id === id);
		if (job === undefined) return this.#ended.find((ended) => ended.id === id)?.part ?? null;
		job.part = { ...job.part, status: "canceled" };
		this.#save();
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

	/** Moves ended jobs, which earlier builds kept among the running ones. */
	#setAsideEnded(): void {
		const over = this.#jobs.filter((job) => !isRunning(job));
		if (over.length === 0) return;
		this.#jobs = this.#jobs.filter(isRunning);
		const ended = over.map(({ order, part }) => ({ id: order.id, part }));
		this.#ended = [...this.#ended, ...ended].slice(-MAX_ENDED);
		this.#isEndedStored = false;
	}

	#save(): void {
		const { kv } = this.#parts.ctx.storage;
		this.#setAsideEnded();
		if (!this.#isEndedStored) kv.put(ENDED, this.#ended);
		kv.put(KEY, this.#jobs);
		this.#isEndedStored = true;
	}
}
