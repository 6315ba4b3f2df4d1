/**
 * The deliveries that came last, in memory. Two consumers that have the same message bring them within moments, and the
 * one that comes second may be the one that was told that they are new: nothing but this knows that they are here.
 */

/** Ids kept, some megabytes; the oldest go first. */
const KEPT = 20_000;

export class Newcomers {
	/** By id: whether there was no room for it. */
	readonly #isRefused = new Map<string, boolean>();

	note(ids: Iterable<string>, isRefused: boolean): void {
		for (const id of ids) this.#isRefused.set(id, isRefused);
		for (const id of this.#isRefused.keys()) {
			if (this.#isRefused.size <= KEPT) return;
			this.#isRefused.delete(id);
		}
	}

	/** undefined: nothing is known of it. */
	whatBecameOf(id: string): "taken" | "refused" | undefined {
		const isRefused = this.#isRefused.get(id);
		return isRefused === undefined ? undefined : isRefused ? "refused" : "taken";
	}
}
