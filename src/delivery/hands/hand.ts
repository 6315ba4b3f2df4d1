/**
 * A hand: a Durable Object without storage that carries out up to six exchanges for a dispatcher,
 * because one object may not wait for more responses. It decides nothing and stores nothing; it
 * reports each outcome to the dispatcher, which returns the next jobs.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { dispatcher } from "../../objects/clients.ts";
import { carry } from "../exchange/carriers/carry.ts";
import { MAX_RESPONSE_BYTES } from "../exchange/carriers/send.ts";
import { backOff } from "../rules/schedule.ts";
import type { HandName, HandRpc, Held, LeasedJob, Outcome, Roll } from "./job.ts";

/**
 * The longest wait before an outcome that did not reach the dispatcher is reported
 * again, ms.
 */
const LONGEST_WAIT_MS = 15_000;
/**
 * Half an hour of tries: by then the dispatcher has long considered the exchange lost and sent the
 * delivery again.
 */
const TRIES = 120;

export class Hand extends DurableObject<Env> implements HandRpc {
	readonly #incarnation = crypto.randomUUID();
	readonly #running = new Map<string, Held>();
	/** Ended, and not yet settled with the dispatcher. */
	readonly #ended = new Map<string, Outcome>();
	#isSettling = false;
	/** Ends a wait before the next try. */
	#hurry: () => void = () => {};

	take(name: HandName, jobs: LeasedJob[]): { incarnation: string } {
		for (const job of jobs) {
			if (!this.#running.has(job.token) && !this.#ended.has(job.token)) this.#begin(name, job);
		}
		return { incarnation: this.#incarnation };
	}

	callRoll(name: HandName): Roll {
		this.#hurry();
		if (this.#ended.size > 0) this.ctx.waitUntil(this.#settle(name));
		const ended = [...this.#ended.values()].map(({ held }) => held);
		return { incarnation: this.#incarnation, held: [...this.#running.values(), ...ended] };
	}

	#begin(name: HandName, { request, ...held }: LeasedJob): void {
		this.#running.set(held.token, held);
		const run = async (): Promise<void> => {
			const limits = { timeoutMs: held.timeoutMs, maxBodyBytes: MAX_RESPONSE_BYTES };
			const result = await carry(this.env, request, limits);
			this.#ended.set(held.token, { held, result });
			this.#running.delete(held.token);
			await this.#settle(name);
		};
		this.ctx.waitUntil(run());
	}

	/**
	 * Reports outcomes, one call at a time, until the dispatcher has received all of them. Never
	 * throws.
	 */
	async #settle(name: HandName): Promise<void> {
		if (this.#isSettling) return;
		this.#isSettling = true;
		let failures = 0;
		while (this.#ended.size > 0) {
			const outcomes = [...this.#ended.values()];
			try {
				const jobs = await dispatcher(this.env, name.endpointId).settle(
					name.number,
					this.#incarnation,
					outcomes,
				);
				for (const { held } of outcomes) this.#ended.delete(held.token);
				this.take(name, jobs);
				failures = 0;
			} catch (error) {
				log("hand.unsettled", {
					endpoint_id: name.endpointId,
					hand: name.number,
					deliveries: outcomes.length,
					error: String(error),
				});
				await this.#wait(backOff(failures, LONGEST_WAIT_MS, Math.random()));
				failures += 1;
				if (failures === TRIES) this.#ended.clear();
			}
		}
		this.#isSettling = false;
	}

	async #wait(ms: number): Promise<void> {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#hurry = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
