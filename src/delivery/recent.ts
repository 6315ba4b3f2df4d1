/**
 * Statistics of an endpoint's latest exchanges, for its health: in memory, bounded, and seeded from
 * the table after an eviction. Pure except for the samples that it keeps.
 */
import type { Attempt } from "./records.ts";
import { OUTCOMES, type Outcome } from "./rules/attempt.ts";

/** Exchanges that are kept. */
export const MAX_SAMPLES = 512;
/** Older exchanges say nothing about the present, ms. */
export const WINDOW_MS = 3_600_000;

export interface Recent {
	/** Of exchanges that got a response or timed out, ms; null: there were none. */
	p50: number | null;
	p95: number | null;
	p99: number | null;
	/** How many exchanges these figures are based on. */
	samples: number;
	/**
	 * The length of the window: from the beginning of its oldest exchange until now. 0: it is empty.
	 */
	windowSeconds: number;
	/** Number of exchanges by outcome. */
	outcomes: Record<Outcome, number>;
}

type Sample = Pick<Attempt, "at" | "durationMs" | "outcome"> & { isTimed: boolean };

export class RecentExchanges {
	/** When this life of the object began, ms since the epoch. */
	readonly #bornAt: number;
	/**
	 * Oldest first; when there are `MAX_SAMPLES` of them, the oldest is at `#next`.
	 */
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

	/**
	 * `readFormer` returns earlier attempts from the table; it is called once. `now`
	 * in ms.
	 */
	summarise(now: number, readFormer: () => readonly Attempt[]): Recent {
		if (!this.#isSeeded) this.#seed(readFormer());
		return summarise(this.#samples, now);
	}

	/** Attempts that this life has recorded itself are not counted twice. */
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
	// A request that never arrived says nothing about the endpoint's latency.
	const isTimed = statusCode !== null || error?.startsWith("timeout:") === true;
	return { at, durationMs, outcome, isTimed };
}

function endOf({ at, durationMs }: Sample): number {
	return at + durationMs;
}

/**
 * Summarises the samples that ended within the window before `now`, ms since the epoch.
 */
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

/**
 * Nearest-rank percentile: the smallest value such that at least `percent` of all values are not
 * above it. null if there are no values.
 */
export function percentile(sorted: readonly number[], percent: number): number | null {
	return sorted[Math.max(0, Math.ceil((percent * sorted.length) / 100) - 1)] ?? null;
}

function count(samples: readonly Sample[]): Record<Outcome, number> {
	const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
	for (const { outcome } of samples) counts[outcome] += 1;
	return counts;
}
