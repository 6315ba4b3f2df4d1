/**
 * The newest deliveries, in memory. Two consumers with the same message send its deliveries within
 * moments, and the second one may be the one that was told that the event is new: only this record
 * shows that they are already here.
 */

/** Ids kept, some megabytes; the oldest are dropped first. */
const KEPT = 20_000;

export class Newcomers {
	/** By id: whether it was refused for lack of room. */
	readonly #isRefused = new Map<string, boolean>();

	note(ids: Iterable<string>, isRefused: boolean): void {
		for (const id of ids) this.#isRefused.set(id, isRefused);
		for (const id of this.#isRefused.keys()) {
			if (this.#isRefused.size <= KEPT) return;
			this.#isRefused.delete(id);
		}
	}

	/** undefined: nothing is known about it. */
	whatBecameOf(id: string): "taken" | "refused" | undefined {
		const isRefused = this.#isRefused.get(id);
		return isRefused === undefined ? undefined : isRefused ? "refused" : "taken";
	}
}
