/** Alternates between due retries and untried deliveries, so that neither blocks the other. */

/**
 * Calls the two in alternating order; returns what the first of them has, or the other.
 */
export class Turns {
	#untriedFirst = false;

	next<T>(untried: () => T | null, retry: () => T | null): T | null {
		this.#untriedFirst = !this.#untriedFirst;
		return this.#untriedFirst ? (untried() ?? retry()) : (retry() ?? untried());
	}
}
