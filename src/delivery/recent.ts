/**
 * How the latest exchanges of an endpoint went, for people who read its health: in memory, bounded, and after an
 * eviction begun with what the table still has. Pure but for what it remembers.
 */
import type { Attempt } from "./records.ts";
import { OUTCOMES, type Outcome } from "./rules/attempt.ts";

/** Exchanges that are remembered. */
export const MAX_SAMPLES = 512;
/** Older ones say nothing of now, ms. */
export const WINDOW_MS = 3_600_000;

export interface Recent {
	/** Of exchanges that got a response or ran into the deadline, ms; null: there were none. */
	p50: number | null;
	p95: number | null;
	p99: number | null;
	/** How many these are of. */
	samples: number;
	/** How far back the window goes: to the beginning of the oldest exchange in it. 0: it is empty. */
	windowSeconds: number;
	/** How many exchanges ended as what. */
	outcomes: Record<Outcome, number>;
}

type Sample = Pick<Attempt, "at" | "durationMs" | "outcome"> & { isTimed: boolean };

export class RecentExchanges {
	/** When this life of the object began, ms since the epoch. */
	readonly #bornAt: number;
	/** The oldest first; with `MAX_SAMPLES` of them, the oldest is at `#next`. */
	#samples: Sample[] = [];
	#next = 0;
	#isSeeded = false;

	constructor(now: number) {
		this.#bornAt = now;
	}

	note(attempt: Attempt): void {
		this.#samples[this.#next] = toSample(attempt);
		this.#next = (this.#next + 1) % MAX_SAMPLES;
	}

	/** `readFormer` gives what was recorded; it is asked once. `now` in ms. */
	summarise(now: number, readFormer: () => readonly Attempt[]): Recent {
		if (!this.#isSeeded) this.#seed(readFormer());
		return summarise(this.#samples, now);
	}

	/** What this life has seen itself is not counted again. */
	#seed(former: readonly Attempt[]): void {
		this.#isSeeded = true;
		const before = former
			.map(toSample)
			.filter((sample) => endOf(sample) < this.#bornAt)
			.toSorted((left, right) => endOf(left) - endOf(right));
		const own = [...this.#samples.slice(this.#next), ...this.#samples.slice(0, this.#next)];
		this.#samples = [...before, ...own].slice(-MAX_SAMPLES);
		this.#next = this.#samples.length % MAX_SAMPLES;
	}
}

function toSample({ at, durationMs, outcome, statusCode, error }: Attempt): Sample {
	// What never got there tells nothing of how long the endpoint takes.
	const isTimed = statusCode !== null || error?.startsWith("timeout:") === true;
	return { at, durationMs, outcome, isTimed };
}

function endOf({ at, durationMs }: Sample): number {
	return at + durationMs;
}

/** Of the samples that have ended within the window before `now`, ms since the epoch. */
function summarise(samples: readonly Sample[], now: number): Recent {
	const recent = samples.filter((sample) => endOf(sample) > now - WINDOW_MS);
	const durations = recent
		.filter(({ isTimed }) => isTimed)
		.map(({ durationMs }) => durationMs)
		.toSorted((left, right) => left - right);
	const oldest = recent.reduce((oldest, { at }) => Math.min(oldest, at), now);
	return {
		p50: percentile(durations, 50),
		p95: percentile(durations, 95),
		p99: percentile(durations, 99),
		samples: durations.length,
		windowSeconds: Math.ceil((now - oldest) / 1000),
		outcomes: count(recent),
	};
}

/** By nearest rank: the smallest value that `percent` of all are not above. null where there is none. */
export function percentile(sorted: readonly number[], percent: number): number | null {
	return sorted[Math.max(0, Math.ceil((percent * sorted.length) / 100) - 1)] ?? null;
}

function count(samples: readonly Sample[]): Record<Outcome, number> {
	const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
	for (const { outcome } of samples) counts[outcome] += 1;
	return counts;
}
