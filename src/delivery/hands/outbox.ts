/**
 * Jobs on their way to hands: they are collected briefly, so that one call carries several. A hand that asks for its next
 * jobs gets them in the response.
 */
import type { LeasedJob } from "./job.ts";
import { JOBS_A_HAND } from "./leases.ts";

/** How long jobs are collected for one call, ms. */
const GATHER_MS = 10;

export class Outbox {
	readonly #send: (hand: number) => void;
	/** Jobs to send to a hand with the next call. */
	readonly #jobs = new Map<number, LeasedJob[]>();
	/** Hands that wait for their next jobs, with the number of waiting calls. */
	readonly #asking = new Map<number, number>();

	/** `send` is called when a hand that does not ask has jobs here; it takes them. */
	constructor(send: (hand: number) => void) {
		this.#send = send;
	}

	/** Hands that wait for their next jobs. */
	get asking(): Set<number> {
		return new Set(this.#asking.keys());
	}

	put(hand: number, job: LeasedJob): void {
		const jobs = this.#jobs.get(hand) ?? [];
		this.#jobs.set(hand, [...jobs, job]);
		if (jobs.length === 0 && !this.#asking.has(hand)) this.#sendLater(hand);
	}

	take(hand: number): LeasedJob[] {
		const jobs = this.#jobs.get(hand) ?? [];
		this.#jobs.delete(hand);
		return jobs;
	}

	/** The next jobs of a hand that asks. `taken` is called in the same turn in which they leave. */
	async next(hand: number, taken: (jobs: readonly LeasedJob[]) => void): Promise<LeasedJob[]> {
		this.#asking.set(hand, (this.#asking.get(hand) ?? 0) + 1);
		try {
			await this.#gather(hand);
			const jobs = this.take(hand);
			taken(jobs);
			return jobs;
		} finally {
			const calls = (this.#asking.get(hand) ?? 1) - 1;
			if (calls === 0) this.#asking.delete(hand);
			else this.#asking.set(hand, calls);
			if (this.#jobs.has(hand)) this.#sendLater(hand);
		}
	}

	/** Waits briefly until there are enough jobs for a full call to the hand. */
	async #gather(hand: number): Promise<void> {
		for (let waited = 0; waited < GATHER_MS; waited++) {
			if ((this.#jobs.get(hand)?.length ?? 0) >= JOBS_A_HAND) return;
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
	}

	#sendLater(hand: number): void {
		setTimeout(() => {
			// A hand that has asked in the meantime gets them in the response.
			if (!this.#asking.has(hand)) this.#send(hand);
		}, GATHER_MS);
	}
}
