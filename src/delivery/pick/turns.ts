/** Takes turns between due retries and untried deliveries, so that neither blocks the other. */

export class Turns {
	#wasRetry = true;

	/**
	 * Returns a delivery from one of the two. The one that did not provide the last delivery is asked first, so that a
	 * delivery that fails again and again gets no second turn while an untried one waits.
	 */
	next<T>(untried: () => T | null, retry: () => T | null): T | null {
		const [first, second] = this.#wasRetry ? [untried, retry] : [retry, untried];
		const found = first();
		if (found !== null) return this.#served(first === retry, found);
		const other = second();
		return other === null ? null : this.#served(second === retry, other);
	}

	#served<T>(isRetry: boolean, found: T): T {
		this.#wasRetry = isRetry;
		return found;
	}
}
