/** Which of the due goes next: retries and untried deliveries take turns, so that neither keeps the other waiting. */

/** Asks the two in alternating order; returns what the first of them has, or the other. */
export class Turns {
	#untriedFirst = false;

	next<T>(untried: () => T | null, retry: () => T | null): T | null {
		this.#untriedFirst = !this.#untriedFirst;
		return this.#untriedFirst ? (untried() ?? retry()) : (retry() ?? untried());
	}
}
