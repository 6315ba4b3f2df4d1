/** The load at which something is full. */
import type { Tally } from "./counting.ts";
import type { Finding } from "./findings.ts";
import type { Range } from "./limits.ts";

const HIGHEST_LOAD = 10_000_000;
const HALVINGS = 50;

/** The load at which the usage reaches the limit, low and high; infinity if that takes ten million or more. */
export function fullAt({ usage, limit }: Pick<Finding, "usage" | "limit">, tally: Tally): Range {
	const reaches = (wanted: number): number => {
		let [low, high] = [0, HIGHEST_LOAD];
		if (usage(high, tally) < wanted) return Number.POSITIVE_INFINITY;
		for (let halvings = 0; halvings < HALVINGS; halvings += 1) {
			const middle = (low + high) / 2;
			if (usage(middle, tally) < wanted) low = middle;
			else high = middle;
		}
		return high;
	};
	return { low: reaches(limit.low), high: reaches(limit.high) };
}
