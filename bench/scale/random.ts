/** Pseudo-random numbers, the same for the same seed, and draws that favour the first items. */

/** From 0 up to 1, with 32 bits (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** The shares of `count` ranks by Zipf's law: rank k has a share proportional to 1 / k^exponent. */
export function zipfShares(count: number, exponent: number): number[] {
	const weights = Array.from({ length: count }, (_, index) => 1 / (index + 1) ** exponent);
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	return weights.map((weight) => weight / total);
}

/** Draws an index with the probabilities in `shares`. */
export function drawFrom(shares: readonly number[], random: Random): () => number {
	let sum = 0;
	const upTo = shares.map((share) => (sum += share));
	return () => {
		const at = random() * sum;
		let low = 0;
		let high = upTo.length - 1;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((upTo[middle] ?? 0) > at) high = middle;
			else low = middle + 1;
		}
		return low;
	};
}

/** The numbers below `count` in random order (Fisher and Yates). */
export function shuffled(count: number, random: Random): number[] {
	const order = Array.from({ length: count }, (_, index) => index);
	for (let last = count - 1; last > 0; last -= 1) {
		const other = Math.floor(random() * (last + 1));
		[order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
	}
	return order;
}
