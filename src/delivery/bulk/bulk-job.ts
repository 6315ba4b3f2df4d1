/**
 * A bulk job: a Durable Object that tells a limited number of dispatchers at a time to retry or
 * cancel, and collects their progress. The dispatchers do the work (runner.ts). The object deletes
 * its data a week after the job ends.
 */
import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { Alarm } from "../../objects/alarm.ts";
import { dispatcher } from "../../objects/clients.ts";
import { concurrently } from "../../objects/concurrently.ts";
import { readBehind } from "../../store/views/owners.ts";
import { addCounts, type BulkAnswer, NO_COUNTS, storedOrder } from "./order.ts";
import { isUnfinished, nextPart, type Part, storedPart, UNBEGUN, unfinishedOf } from "./part.ts";
import {
	type BulkJobRpc,
	type BulkRecord,
	type BulkRequest,
	type EndpointProgress,
	JOB_STATUSES,
} from "./rpc.ts";

/** Dispatchers that work on one job at once. */
const RUNNING_AT_ONCE = 50;
/** Calls at once; an invocation has six connections. */
const CALLS_AT_ONCE = 6;
const FIRST_LOOK_MS = 250;
const LONGEST_LOOK_MS = 10_000;
const REMEMBERED_MS = 7 * 86_400_000;
const SHOWN_ENDPOINTS = 200;
const JOB = "job";
const PART = "part/";

const storedJob = z.object({
	order: storedOrder,
	/** null: all endpoints in the table with these names, by age. */
	endpointIds: z.array(z.string()).nullable(),
	endpointNames: z.array(z.string()).nullable().default(null),
	startedBy: z.string(),
	asked: z.string(),
	status: z.enum(JOB_STATUSES),
	createdAt: z.number(),
	finishedAt: z.number().nullable(),
	/** Endpoints that have been started, and the last one of them; null: none. */
	begun: z.number(),
	last: z.object({ createdAt: z.number(), id: z.string() }).nullable(),
});
type Job = z.infer<typeof storedJob>;

export class BulkJob extends DurableObject<Env> implements BulkJobRpc {
	readonly #alarm = new Alarm(this.ctx);
	#looks = 0;
	#isBusy = false;

	async begin({ order, endpointIds, endpointNames, startedBy, asked }: BulkRequest): Promise<BulkRecord> {
		const now = Date.now();
		if (this.#job() === null) {
			const job: Job = {
				order,
				endpointIds: endpointIds && [...endpointIds],
				endpointNames: endpointNames && [...endpointNames],
				startedBy,
				asked,
				status: "running",
				createdAt: now,
				finishedAt: null,
				begun: 0,
				last: null,
			};
			this.ctx.storage.kv.put(JOB, job);
			await this.#alarm.arm(now + FIRST_LOOK_MS);
			await this.#turn();
		}
		const record = await this.read();
		if (record === null) throw new Error("the bulk job has just been forgotten");
		return record;
	}

	async read(): Promise<BulkRecord | null> {
		if (this.#job()?.status === "running") await this.#turn();
		const job = this.#job();
		return job && this.#record(job);
	}

	async cancel(): Promise<BulkRecord | null> {
		const job = this.#job();
		if (job?.status !== "running") return job && this.#record(job);
		await this.#end(job, "canceled");
		await this.#stopParts(job);
		return this.#record(this.#job() ?? job);
	}

	override async alarm(): Promise<void> {
		this.#alarm.goneOff();
		const job = this.#job();
		if (job === null) return;
		if (job.status === "running") {
			// Written before the calls, so that the job can continue after a crash.
			await this.#alarm.arm(Date.now() + LONGEST_LOOK_MS);
			await this.#turn();
			if (this.#job()?.status === "running") await this.#alarm.move(Date.now() + this.#nextLookMs());
		} else if (Date.now() < (job.finishedAt ?? 0) + REMEMBERED_MS) await this.#stopParts(job);
		else await this.ctx.storage.deleteAll();
	}

	#nextLookMs(): number {
		return Math.min(FIRST_LOOK_MS * 2 ** Math.min(this.#looks++, 10), LONGEST_LOOK_MS);
	}

	/**
	 * Asks the active dispatchers for their progress, starts others if there is room, and checks whether all are done.
	 * Never throws.
	 */
	async #turn(): Promise<void> {
		if (this.#isBusy) return;
		this.#isBusy = true;
		try {
			await this.#ask(this.#running());
			const begun = await this.#beginMore();
			await this.#ask(begun.ids);
			const job = this.#job();
			const isOver = begun.isLast && this.#running().length === 0;
			if (job?.status === "running" && isOver) {
				await this.#end(job, this.#allParts().some(isUnfinished) ? "incomplete" : "done");
			}
		} catch (error) {
			log("bulk.failed", { bulk_id: this.#job()?.order.id, error: String(error) });
		} finally {
			this.#isBusy = false;
		}
	}

	/**
	 * Stores the next endpoints, as many as there is room for, before their dispatchers
	 * are called.
	 */
	async #beginMore(): Promise<{ ids: string[]; isLast: boolean }> {
		const job = this.#job();
		const room = RUNNING_AT_ONCE - this.#running().length;
		if (job?.status !== "running" || room <= 0) return { ids: [], isLast: false };
		const found =
			job.endpointIds === null
				? await readBehind(this.env, "endpoints", {
						after: job.last,
						except: [],
						limit: room,
						names: job.endpointNames,
					})
				: job.endpointIds.slice(job.begun, job.begun + room).map((id) => ({ id, createdAt: 0 }));
		// The job may have been canceled in the meantime.
		const current = this.#job();
		if (current?.status !== "running") return { ids: [], isLast: false };
		const ids = found.map(({ id }) => id);
		for (const id of ids) this.#put(id, UNBEGUN);
		const last = found.at(-1) ?? job.last;
		if (ids.length > 0) {
			this.#looks = 0;
			this.ctx.storage.kv.put(JOB, { ...current, begun: job.begun + ids.length, last } satisfies Job);
		}
		return { ids, isLast: ids.length < room };
	}

	async #ask(ids: readonly string[]): Promise<void> {
		const job = this.#job();
		if (job === null) return;
		await concurrently(ids, CALLS_AT_ONCE, (id) =>
			this.#note(id, ({ isBegun }) => dispatcher(this.env, id).bulk(job.order, isBegun)),
		);
	}

	/** Dispatchers that cannot be reached are called again at the next alarm. */
	async #stopParts({ order, finishedAt }: Job): Promise<void> {
		const running = this.#running();
		await concurrently(running, CALLS_AT_ONCE, (id) =>
			this.#note(id, async ({ matched, done, skipped, failed }) => {
				const stopped = await dispatcher(this.env, id).stopBulk(order.id);
				return stopped ?? { status: "canceled", matched, done, skipped, failed };
			}),
		);
		const isDone = this.#running().length === 0;
		const forgottenAt = (finishedAt ?? Date.now()) + REMEMBERED_MS;
		await this.#alarm.move(isDone ? forgottenAt : Date.now() + this.#nextLookMs());
	}

	async #note(id: string, call: (before: Part) => Promise<BulkAnswer>): Promise<void> {
		const before = this.#part(id);
		if (before === null) return;
		let answer: BulkAnswer | null = null;
		try {
			answer = await call(before);
		} catch (error) {
			log("bulk.unreached", { endpoint_id: id, error: String(error) });
		}
		const part = nextPart(before, answer, Date.now());
		this.#put(id, part);
		// Canceled during the call: the dispatcher may have begun only now.
		if (part.status === "running" && this.#job()?.status !== "running") {
			await this.#alarm.arm(Date.now() + FIRST_LOOK_MS);
		}
	}

	async #end(job: Job, status: "done" | "incomplete" | "canceled"): Promise<void> {
		const finishedAt = Date.now();
		this.ctx.storage.kv.put(JOB, { ...job, status, finishedAt } satisfies Job);
		await this.#alarm.move(finishedAt + (status === "canceled" ? FIRST_LOOK_MS : REMEMBERED_MS));
	}

	#job(): Job | null {
		return storedJob.safeParse(this.ctx.storage.kv.get(JOB)).data ?? null;
	}

	#part(id: string): Part | null {
		return storedPart.safeParse(this.ctx.storage.kv.get(PART + id)).data ?? null;
	}

	/** An endpoint that is done and has no matches gets no row. */
	#put(id: string, part: Part): void {
		if (part.status === "done" && part.matched === 0) this.ctx.storage.kv.delete(PART + id);
		else this.ctx.storage.kv.put(PART + id, part);
	}

	#allParts(): (Part & { endpointId: string })[] {
		return [...this.ctx.storage.kv.list({ prefix: PART })].flatMap(([key, value]) => {
			const part = storedPart.safeParse(value).data;
			return part === undefined ? [] : [{ ...part, endpointId: key.slice(PART.length) }];
		});
	}

	#running(): string[] {
		return this.#allParts()
			.filter(({ status }) => status === "running")
			.map(({ endpointId }) => endpointId);
	}

	#record({ order, asked, startedBy, status, createdAt, finishedAt, begun }: Job): BulkRecord {
		const parts = this.#allParts();
		const endpoints = parts
			.toSorted((left, right) => Number(left.status === "done") - Number(right.status === "done"))
			.slice(0, SHOWN_ENDPOINTS)
			.map(({ endpointId, status, matched, done, skipped, failed }): EndpointProgress => {
				return { endpointId, status, matched, done, skipped, failed };
			});
		return {
			id: order.id,
			action: order.action,
			dryRun: order.dryRun,
			asked,
			startedBy,
			status,
			unfinished: unfinishedOf(parts),
			createdAt,
			finishedAt,
			...parts.reduce(addCounts, NO_COUNTS),
			endpointCount: begun,
			endpoints,
		};
	}
}
