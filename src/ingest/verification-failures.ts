/**
 * Counts the requests of each source that failed verification in this isolate. A single failure is noise; many mean a
 * publisher with a wrong secret, or an attack.
 */
import { windowOf } from "../operations/windows.ts";

/** The number of failures in a window that is reported. */
export const FAILING_FROM = 5;
/** The maximum number of sources. The one without failures for the longest time is evicted first. */
const MAX_REMEMBERED = 1_000;

export class VerificationFailures {
	readonly #counts = new Map<string, { window: number; refusals: number }>();

	/** Counts a failure. Returns the number in this window, or null if nothing is to be reported. `now` in ms. */
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
