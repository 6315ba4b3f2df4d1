/**
 * Counts the requests that a source has refused because they prove nothing, in this isolate: one is a stray, many in a
 * row mean a publisher with a wrong secret, or somebody who tries.
 */
import { windowOf } from "../operations/windows.ts";

/** So many in a window are told. */
export const FAILING_FROM = 5;
/** Sources that are remembered; the one that has been quiet for the longest time is forgotten first. */
const MAX_REMEMBERED = 1_000;

export class VerificationFailures {
	readonly #counts = new Map<string, { window: number; refusals: number }>();

	/** One more. Returns how many there were in this window; null: too few to be told. `now` in ms. */
	refused(sourceId: string, now: number): number | null {
		const window = windowOf(now);
		const known = this.#counts.get(sourceId);
		const refusals = (known?.window === window ? known.refusals : 0) + 1;
		this.#counts.delete(sourceId);
		this.#counts.set(sourceId, { window, refusals });
		for (const oldest of this.#counts.keys()) {
			if (this.#counts.size <= MAX_REMEMBERED) break;
			this.#counts.delete(oldest);
		}
		return refusals < FAILING_FROM ? null : refusals;
	}
}
