/**
 * Carries out the exchanges of one endpoint: up to five in the dispatcher itself, the rest in hands
 * with six each. A hand that reports outcomes gets its next jobs in return. outbox.ts collects jobs for
 * a call, leases.ts decides which hand has what, and roster.ts which hands a dispatcher that wakes has
 * to ask.
 */
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { carry } from "../exchange/carriers/carry.ts";
import { MAX_RESPONSE_BYTES } from "../exchange/carriers/send.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import type { HandName, HandRpc, Held, Job, LeasedJob, Outcome, Roll } from "./job.ts";
import { Leases } from "./leases.ts";
import { Losses } from "./losses.ts";
import { Outbox } from "./outbox.ts";
import { Roster } from "./roster.ts";

/** One of the six connections stays free for the router's own calls. */
const IN_PROCESS = 5;
/** How often a hand with work is asked what it has if it reports nothing. */
const ROLL_CALL_EVERY_MS = 15_000;

export interface PoolIo {
	env: Env;
	storage: DurableObjectStorage;
	name(hand: number): HandName;
	hand(name: HandName): DurableObjectStub<HandRpc>;
	/**
	 * Resolves when the delivery is no longer in progress and its outcome is written.
	 */
	whenEnded(deliveryId: string): Promise<void>;
	/**
	 * Takes over an exchange that this life did not begin, or considered lost (`isLate`). Returns a
	 * promise that resolves when its outcome is written; null: the outcome no longer matters.
	 */
	adopt(held: Held, ended: Promise<AttemptResult | null>, isLate: boolean): Promise<void> | null;
}

export class Pool {
	readonly #io: PoolIo;
	readonly #leases = new Leases();
	readonly #losses = new Losses();
	readonly #roster: Roster;
	#inProcess = 0;
	/** The roll call in progress. */
	#recalling: Promise<void> | null = null;
	/** The functions to call when an exchange ends, by token. */
	readonly #waiting = new Map<string, (result: AttemptResult | null) => void>();
	readonly #outbox = new Outbox((number) => void this.#send(number));

	constructor(io: PoolIo) {
		this.#io = io;
		this.#roster = new Roster(io.storage);
	}

	/**
	 * Whether hands may have work that this life of the dispatcher does not know yet; nothing may be
	 * begun until then.
	 */
	get isRecovering(): boolean {
		return this.#roster.isRecovering(Date.now());
	}

	/** Whether this life of the dispatcher waits for the end of a lease. */
	isAwaited(token: string): boolean {
		return this.#waiting.has(token);
	}

	/**
	 * Returns how the exchange ended; null if it was lost and its outcome is unknown. Never
	 * throws.
	 */
	async exchange(job: Job): Promise<AttemptResult | null> {
		if (this.#inProcess < IN_PROCESS) {
			this.#inProcess += 1;
			try {
				const { request, timeoutMs } = job;
				return await carry(this.#io.env, request, { timeoutMs, maxBodyBytes: MAX_RESPONSE_BYTES });
			} finally {
				this.#inProcess -= 1;
			}
		}
		return this.#lease(job);
	}

	/**
	 * A hand reports how exchanges ended and gets its next jobs. When this returns, the outcomes are
	 * written, or kept in memory if the write failed. Repeated or late reports do not change what is
	 * already settled.
	 */
	async settle(number: number, incarnation: string, outcomes: readonly Outcome[]): Promise<LeasedJob[]> {
		this.#lose(this.#leases.hear(number, incarnation, Date.now()));
		await Promise.all(outcomes.map(({ held, result }) => this.#end(number, held, result)));
		// Not earlier: outcomes that wait for a slow queue would delay new jobs too.
		return this.#outbox.next(number, (jobs) => this.#leases.give(number, jobs, incarnation, Date.now()));
	}

	/** Asks the hands of an earlier life what they have, and takes it over. Never throws. */
	async recover(): Promise<void> {
		this.#recalling ??= this.#recall().finally(() => {
			this.#recalling = null;
		});
		await this.#recalling;
	}

	async #recall(): Promise<void> {
		await this.#roster.ask(
			(number) => this.#callRoll(number),
			(number, { incarnation, held }) => {
				try {
					this.#leases.hear(number, incarnation, Date.now());
					for (const one of held) this.#adopt(number, incarnation, one);
					return true;
				} catch (error) {
					const { endpointId } = this.#io.name(number);
					log("hand.not_taken_over", { endpoint_id: endpointId, hand: number, error: String(error) });
					return false;
				}
			},
		);
		if (!this.isRecovering && this.#leases.size === 0) this.#roster.forget();
	}

	/** Checks the hands that are silent although they have work. Never throws. */
	async lookAfter(): Promise<void> {
		const now = Date.now();
		// Before any hand is asked, because it may not respond either.
		this.#lose(this.#leases.overdue(now));
		for (const number of this.#leases.silent(now, ROLL_CALL_EVERY_MS)) {
			const roll = await this.#callRoll(number);
			if (roll !== null) this.#lose(this.#leases.compare(number, roll, Date.now()));
		}
	}

	#lease(job: Job): Promise<AttemptResult | null> {
		const { request: _request, ...rest } = job;
		const held: Held = { token: crypto.randomUUID(), ...rest };
		const number = this.#leases.handWithRoom(this.#outbox.asking);
		this.#roster.use(number);
		this.#leases.add(number, held, Date.now());
		this.#outbox.put(number, { ...job, ...held });
		return new Promise((resolve) => this.#waiting.set(held.token, resolve));
	}

	#adopt(number: number, incarnation: string, held: Held): void {
		if (this.#waiting.has(held.token)) return;
		const ended = new Promise<AttemptResult | null>((resolve) => this.#waiting.set(held.token, resolve));
		if (this.#io.adopt(held, ended, false) === null) {
			this.#waiting.delete(held.token);
			return;
		}
		this.#leases.add(number, held, Date.now());
		this.#leases.give(number, [held], incarnation, Date.now());
	}

	/** Resolves when the outcome is written. */
	async #end(number: number, held: Held, result: AttemptResult): Promise<void> {
		this.#losses.forget(held.deliveryId);
		if (!this.#leases.end(number, held.token)) {
			await this.#io.adopt(held, Promise.resolve(result), this.#losses.isLost(held.token));
			return;
		}
		const written = this.#io.whenEnded(held.deliveryId);
		this.#resolve(held, result);
		await written;
	}

	#lose(lost: readonly Held[]): void {
		for (const held of lost) this.#resolve(held, this.#losses.count(held, Date.now()));
	}

	#resolve({ token }: Held, result: AttemptResult | null): void {
		this.#waiting.get(token)?.(result);
		this.#waiting.delete(token);
	}

	async #send(number: number): Promise<void> {
		const jobs = this.#outbox.take(number);
		if (jobs.length === 0) return;
		const name = this.#io.name(number);
		this.#leases.give(number, jobs, null, Date.now());
		try {
			const { incarnation } = await this.#io.hand(name).take(name, jobs);
			this.#leases.give(number, jobs, incarnation, Date.now());
			this.#lose(this.#leases.hear(number, incarnation, Date.now()));
		} catch (error) {
			// It is unknown whether the hand has them: the next roll call shows it.
			this.#leases.doubt(number);
			log("hand.unreached", { endpoint_id: name.endpointId, hand: number, error: String(error) });
		}
	}

	async #callRoll(number: number): Promise<Roll | null> {
		const name = this.#io.name(number);
		try {
			return await this.#io.hand(name).callRoll(name);
		} catch (error) {
			log("hand.silent", { endpoint_id: name.endpointId, hand: number, error: String(error) });
			return null;
		}
	}
}
