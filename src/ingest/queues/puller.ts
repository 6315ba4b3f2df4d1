/**
 * The puller: the Durable Object that polls the SQS queue of one source. Its alarm wakes it, so that it continues after
 * an eviction or a deploy. I/O only: pull-cycle.ts decides when to poll, and pull.ts runs a round.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { liveSecrets } from "../../crypto/standard-webhooks.ts";
import type { Source } from "../../store/records.ts";
import { isDeleted } from "../../store/deleted.ts";
import { findSource } from "../../store/resources/sources.ts";
import { UNREADABLE } from "../../crypto/seal.ts";
import { kindOf } from "../../sources/registry.ts";
import { pull, type Pulled } from "./pull.ts";
import { BACKSTOP_MS, type Effect, type Happened, readPullState, step } from "./pull-cycle.ts";
import type { PullerRpc, PullStatus } from "./rpc.ts";
import type { SqsQueue } from "./sqs-client.ts";
import { refuseQueueUrl } from "../../sources/sqs/queue.ts";
import { storedSqsSettings } from "../../sources/sqs/settings.ts";

const SOURCE_ID = "source_id";
const STATE = "state";

export class Puller extends DurableObject<Env> implements PullerRpc {
	#state = readPullState(this.ctx.storage.kv.get(STATE));
	/** Aborts the current run. */
	#run = new AbortController();

	async refresh(sourceId: string): Promise<void> {
		// Stored because an alarm handler does not receive the object's name.
		this.ctx.storage.kv.put(SOURCE_ID, sourceId);
		this.#run.abort();
		await this.#take({ kind: "refreshed" });
	}

	async status(sourceId: string): Promise<PullStatus> {
		if (this.ctx.storage.kv.get(SOURCE_ID) === undefined) await this.refresh(sourceId);
		const { status, lastError, lastMessageAt } = this.#state;
		return { status, lastError, lastMessageAt };
	}

	override async alarm(): Promise<void> {
		const sourceId = this.ctx.storage.kv.get<string>(SOURCE_ID);
		if (sourceId === undefined) return;
		this.#run = new AbortController();
		const { signal } = this.#run;
		// Set first, so that the object wakes again if it is stopped after this point.
		await this.ctx.storage.setAlarm(Date.now() + BACKSTOP_MS);
		const round = await this.#readRound(sourceId);
		// The caller that aborted the run has set the alarm for the next one.
		if (signal.aborted) return;
		let effects = await this.#take({ kind: "woken", source: round === null ? "closed" : "open" });
		if (round === null) return;
		while (effects.some(({ kind }) => kind === "poll")) {
			const happened = await round(signal);
			if (signal.aborted) return;
			effects = await this.#take(happened);
		}
	}

	/** Runs one step of the cycle. The state is stored when the alarm moves, which is when a run begins or ends. */
	async #take(happened: Happened): Promise<Effect[]> {
		const { state, effects } = step(this.#state, happened, Date.now());
		this.#state = state;
		for (const effect of effects) {
			if (effect.kind === "poll") continue;
			this.ctx.storage.kv.put(STATE, state);
			// A concurrent refresh has aborted the run before this, or sets its alarm after this.
			if (effect.kind === "sleep") await this.ctx.storage.deleteAlarm();
			else await this.ctx.storage.setAlarm(effect.at);
		}
		if (happened.kind === "failed") {
			log("puller.failed", {
				source_id: this.ctx.storage.kv.get(SOURCE_ID),
				failures: state.failures,
				error: happened.error,
			});
		}
		return effects;
	}

	/** Returns the function that runs a round, or null if the source must not be polled any more. */
	async #readRound(sourceId: string): Promise<((signal: AbortSignal) => Promise<Pulled>) | null> {
		try {
			const source = await findSource(this.env, sourceId);
			if (source === null) return await this.#missing(sourceId);
			if (source.status !== "active" || kindOf(source)?.transport !== "pull") return null;
			const queue = this.#queueOf(source);
			if (typeof queue === "string") return async () => ({ kind: "failed", error: queue });
			return (signal) => pull(this.env, source, queue, signal);
		} catch (error) {
			return async () => ({ kind: "failed", error: `cannot read the source: ${String(error)}` });
		}
	}

	/**
	 * A source that is missing but was not deleted may reappear when the database is restored, so polling is retried.
	 */
	async #missing(sourceId: string): Promise<(() => Promise<Pulled>) | null> {
		if (await isDeleted(this.env, sourceId)) return null;
		return async () => ({
			kind: "failed",
			error: "the source is missing from the database, but was not deleted",
		});
	}

	/** Returns the queue, or why it cannot be polled. */
	#queueOf({ settings, secrets }: Source): SqsQueue | string {
		if (secrets === null) return `the source's secret ${UNREADABLE}`;
		const parsed = storedSqsSettings.safeParse(settings);
		const [secretAccessKey] = liveSecrets(secrets, Date.now());
		if (!parsed.success || secretAccessKey === undefined)
			return "the source's settings or secret are missing or invalid";
		const { queue_url: url, region, access_key_id: accessKeyId } = parsed.data;
		const allowPrivate = this.env.ALLOW_PRIVATE_ENDPOINTS === "true";
		const refusal = refuseQueueUrl(url, { allowPrivate });
		return refusal === null ? { url, region, accessKeyId, secretAccessKey } : `queue_url ${refusal}`;
	}
}
