/**
 * Which hand has which exchange, as the dispatcher believes. Pure: no clock, no calls; the pool makes those and tells
 * what came of them. What is here is forgotten with the dispatcher: a roll call of the hands brings it back.
 */
import type { Held, Roll } from "./job.ts";

/** One object may wait for six responses at once (Cloudflare's limits page). */
export const JOBS_A_HAND = 6;
/** How much longer than its timeout an exchange may take to be told, ms. */
export const SLACK_MS = 30_000;
/** How long a job may be on its way to its hand, ms. */
const ON_ITS_WAY_MS = 5_000;

interface Lease extends Held {
	/** When the job left for its hand, ms since the epoch; null: it has not left. */
	sentAt: number | null;
	/** The life of the hand that has it; null: not known. A hand that was idle is another one when it gets its next job. */
	incarnation: string | null;
}

interface HandState {
	heardAt: number;
	leases: Map<string, Lease>;
}

export class Leases {
	readonly #hands = new Map<number, HandState>();

	get size(): number {
		let size = 0;
		for (const { leases } of this.#hands.values()) size += leases.size;
		return size;
	}

	/** The hand for another job: one of `preferred` with room, else the first with room, else a new one. */
	handWithRoom(preferred: ReadonlySet<number>): number {
		for (const number of preferred) if (this.#roomOf(number) > 0) return number;
		for (let number = 1; ; number++) if (this.#roomOf(number) > 0) return number;
	}

	/** Leases a job to a hand; it has still to leave. */
	add(number: number, held: Held, now: number): void {
		this.#handOf(number, now).leases.set(held.token, { ...held, sentAt: null, incarnation: null });
	}

	/** Jobs leave for their hand, where it is not known yet in which life it gets them (null), or are there. */
	give(number: number, jobs: readonly Held[], incarnation: string | null, now: number): void {
		for (const { token } of jobs) {
			const lease = this.#hands.get(number)?.leases.get(token);
			if (lease === undefined) continue;
			lease.sentAt ??= now;
			lease.incarnation = incarnation;
		}
	}

	/** Ends a lease; false when it is not known, as it has ended already or is of an earlier life. */
	end(number: number, token: string): boolean {
		return this.#hands.get(number)?.leases.delete(token) ?? false;
	}

	/**
	 * A hand has been heard in this life of its own. Returns what an earlier life of it had: lost, and ended here. A job on
	 * its way may have reached either life.
	 */
	hear(number: number, incarnation: string, now: number): Held[] {
		const hand = this.#handOf(number, now);
		hand.heardAt = now;
		return this.#take(hand, ({ incarnation: of }) => of !== null && of !== incarnation);
	}

	/** A hand has told what it has. Returns what it should have and has not, which is lost and ended here. */
	compare(number: number, roll: Roll, now: number): Held[] {
		this.give(number, roll.held, roll.incarnation, now);
		const lost = this.hear(number, roll.incarnation, now);
		const has = new Set(roll.held.map(({ token }) => token));
		const missing = this.#take(
			this.#handOf(number, now),
			(lease) => !has.has(lease.token) && isLate(lease, now),
		);
		return [...lost, ...missing];
	}

	/** What a silent hand cannot still be carrying out: lost. Until then its slots stay taken. */
	overdue(now: number): Held[] {
		return [...this.#hands.values()].flatMap((hand) =>
			this.#take(
				hand,
				({ startedAt, timeoutMs, sentAt }) => sentAt !== null && now > startedAt + timeoutMs + SLACK_MS,
			),
		);
	}

	/** A call to the hand has failed: it counts as silent from here on. */
	doubt(number: number): void {
		const hand = this.#hands.get(number);
		if (hand !== undefined) hand.heardAt = 0;
	}

	/** Hands with work that have not been heard of for so long, or with a job that has not arrived in time. */
	silent(now: number, forMs: number): number[] {
		return [...this.#hands]
			.filter(([, { leases, heardAt }]) => {
				if (leases.size > 0 && now - heardAt >= forMs) return true;
				return [...leases.values()].some((lease) => lease.incarnation === null && isLate(lease, now));
			})
			.map(([number]) => number);
	}

	#roomOf(number: number): number {
		return JOBS_A_HAND - (this.#hands.get(number)?.leases.size ?? 0);
	}

	#handOf(number: number, now: number): HandState {
		const hand = this.#hands.get(number) ?? { heardAt: now, leases: new Map() };
		this.#hands.set(number, hand);
		return hand;
	}

	#take({ leases }: HandState, isTaken: (lease: Lease) => boolean): Held[] {
		const taken = [...leases.values()].filter(isTaken);
		for (const { token } of taken) leases.delete(token);
		return taken;
	}
}

/** Whether a job would have arrived by now. */
function isLate({ sentAt }: Lease, now: number): boolean {
	return sentAt !== null && now - sentAt > ON_ITS_WAY_MS;
}
