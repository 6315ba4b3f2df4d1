/**
 * Which hand has which exchange, as far as the dispatcher knows. Pure: no clock and no calls; the
 * pool makes the calls and reports their results. This state is lost with the dispatcher; a roll
 * call of the hands restores it.
 */
import type { Held, Roll } from "./job.ts";

/** One object may wait for six responses at once (Cloudflare's limits page). */
export const JOBS_A_HAND = 6;
/**
 * How long after its timeout the outcome of an exchange may still be reported, ms.
 */
export const SLACK_MS = 30_000;
/** How long a job may take to reach its hand, ms. */
const ON_ITS_WAY_MS = 5_000;

interface Lease extends Held {
	/** When the job was sent to its hand, ms since the epoch; null: not yet. */
	sentAt: number | null;
	/**
	 * The life (incarnation) of the hand that has it; null: unknown. A hand that was idle may have
	 * restarted when it gets its next job.
	 */
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

	/**
	 * The hand for another job: one of `preferred` with room, otherwise the first with room, otherwise
	 * a new one.
	 */
	handWithRoom(preferred: ReadonlySet<number>): number {
		for (const number of preferred) if (this.#roomOf(number) > 0) return number;
		for (let number = 1; ; number++) if (this.#roomOf(number) > 0) return number;
	}

	/** Leases a job to a hand; the job is not sent yet. */
	add(number: number, held: Held, now: number): void {
		this.#handOf(number, now).leases.set(held.token, { ...held, sentAt: null, incarnation: null });
	}

	/**
	 * Jobs are being sent to their hand, and it is not known yet which life receives them (null), or
	 * they have arrived.
	 */
	give(number: number, jobs: readonly Held[], incarnation: string | null, now: number): void {
		for (const { token } of jobs) {
			const lease = this.#hands.get(number)?.leases.get(token);
			if (lease === undefined) continue;
			lease.sentAt ??= now;
			lease.incarnation = incarnation;
		}
	}

	/**
	 * Ends a lease; false if it is unknown, because it has already ended or an earlier life made it.
	 */
	end(number: number, token: string): boolean {
		return this.#hands.get(number)?.leases.delete(token) ?? false;
	}

	/**
	 * A hand has reported in this life. Returns what an earlier life of it had: those jobs are lost,
	 * and their leases end here. A job in transit may have reached either life.
	 */
	hear(number: number, incarnation: string, now: number): Held[] {
		const hand = this.#handOf(number, now);
		hand.heardAt = now;
		return this.#take(hand, ({ incarnation: of }) => of !== null && of !== incarnation);
	}

	/**
	 * A hand has reported what it has. Returns the jobs that it should have but does not: they are
	 * lost, and their leases end here.
	 */
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

	/**
	 * Jobs that a silent hand can no longer be working on: they are lost. Until then their slots
	 * stay taken.
	 */
	overdue(now: number): Held[] {
		return [...this.#hands.values()].flatMap((hand) =>
			this.#take(
				hand,
				({ startedAt, timeoutMs, sentAt }) => sentAt !== null && now > startedAt + timeoutMs + SLACK_MS,
			),
		);
	}

	/** A call to the hand has failed: it counts as silent from now on. */
	doubt(number: number): void {
		const hand = this.#hands.get(number);
		if (hand !== undefined) hand.heardAt = 0;
	}

	/**
	 * Hands with work that have not reported for this long, or with a job that has not arrived in
	 * time.
	 */
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

/** Whether a job should have arrived by now. */
function isLate({ sentAt }: Lease, now: number): boolean {
	return sentAt !== null && now - sentAt > ON_ITS_WAY_MS;
}
