/**
 * Rate limit: at most one operational event per type and resource in a window of five minutes. Windows are aligned to
 * the clock, so that independent isolates give the same event the same id. Pure.
 */

export const WINDOW_MS = 300_000;
/** The maximum number of entries. An evicted one may be published again in its window, with the same id. */
const MAX_REMEMBERED = 1_000;

/** What is remembered per type and resource. */
export interface Told {
	/** The window of the last published event. */
	window: number;
	/** How many occurrences there were since. */
	suppressed: number;
}

/** Returns the window of a time (ms since the epoch). */
export function windowOf(now: number): number {
	return Math.floor(now / WINDOW_MS);
}

/** Returns when the window of a time ends, ms since the epoch. */
export function windowEnd(now: number): number {
	return (windowOf(now) + 1) * WINDOW_MS;
}

/**
 * Counts an occurrence. `suppressed`: how many were not published since the last event; null: not due in this window.
 */
export function happened(told: Told | undefined, now: number): { told: Told; suppressed: number | null } {
	const window = windowOf(now);
	if (told?.window === window) {
		return { told: { window, suppressed: told.suppressed + 1 }, suppressed: null };
	}
	return { told: { window, suppressed: 0 }, suppressed: told?.suppressed ?? 0 };
}

/** Windows by key. Evicts the entry that was published least recently. */
export class Windows {
	readonly #told = new Map<string, Told>();

	/** Like the function `happened`, for the type and resource in `key`. */
	happened(key: string, now: number): number | null {
		const { told, suppressed } = happened(this.#told.get(key), now);
		if (suppressed !== null) this.#told.delete(key);
		this.#told.set(key, told);
		for (const oldest of this.#told.keys()) {
			if (this.#told.size <= MAX_REMEMBERED) break;
			this.#told.delete(oldest);
		}
		return suppressed;
	}
}
