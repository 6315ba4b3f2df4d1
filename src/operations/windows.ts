/**
 * Not more than one operational event of a kind about a thing in a window of five minutes. Windows are those of the
 * clock, so that isolates that know nothing of each other give the same event the same id. Pure.
 */

export const WINDOW_MS = 300_000;
/** Kinds and things that are remembered. One that is forgotten may be told again in its window, under the same id. */
const MAX_REMEMBERED = 1_000;

/** What is remembered of one kind about one thing. */
export interface Told {
	/** In which window it was told last. */
	window: number;
	/** How often it has happened since. */
	suppressed: number;
}

/** Which window a moment (ms since the epoch) is in. */
export function windowOf(now: number): number {
	return Math.floor(now / WINDOW_MS);
}

/** When the window of a moment is over, ms since the epoch. */
export function windowEnd(now: number): number {
	return (windowOf(now) + 1) * WINDOW_MS;
}

/** It has happened once more. `suppressed`: how often since it was told; null: it was told in this window already. */
export function happened(told: Told | undefined, now: number): { told: Told; suppressed: number | null } {
	const window = windowOf(now);
	if (told?.window === window) {
		return { told: { window, suppressed: told.suppressed + 1 }, suppressed: null };
	}
	return { told: { window, suppressed: 0 }, suppressed: told?.suppressed ?? 0 };
}

/** Windows by key; the one that has not been told for the longest time is forgotten first. */
export class Windows {
	readonly #told = new Map<string, Told>();

	/** As `happened`, for one kind about one thing. */
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
