/** Statistics for benchmarks. */

/** Returns the quantile `fraction` (nearest rank). NaN for an empty list. */
export function quantile(values: readonly number[], fraction: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	const rank = Math.max(Math.ceil(fraction * sorted.length), 1);
	return sorted[rank - 1] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
	return quantile(values, 0.5);
}

export function round(value: number, digits: number): number {
	return Number(value.toFixed(digits));
}
