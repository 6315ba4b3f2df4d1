/** Stable sorting as in JSONata, charged per comparison. JSONata's own sort copies the rest of the list each time. */
import { type Meter, STEP } from "../bounds/meter.ts";

type Callback = (...args: unknown[]) => unknown;

export function isListOf(list: readonly unknown[], type: "number" | "string"): boolean {
	return list.every((item) => typeof item === type);
}

export function compareScalars(left: unknown, right: unknown, meter: Meter): number {
	const isText = typeof left === "string" && typeof right === "string";
	meter.spend(2 + (isText ? Math.min(left.length, right.length) / 32 : 0));
	if (left === right) return 0;
	return (left as number) < (right as number) ? -1 : 1;
}

/** JSONata's order: items without a value come last, in both directions. */
export function compareKeys(
	left: readonly unknown[],
	right: readonly unknown[],
	directions: string,
	meter: Meter,
): number {
	for (let index = 0; index < directions.length; index++) {
		const [one, other] = [left[index], right[index]];
		if (one === undefined && other === undefined) continue;
		if (one === undefined) return 1;
		if (other === undefined) return -1;
		if (!isSortable(one) || !isSortable(other))
			throw new Error("a list can only be ordered by numbers or strings");
		if (typeof one !== typeof other) {
			throw new Error("a list cannot be ordered by both numbers and strings");
		}
		const compared = compareScalars(one, other, meter);
		if (compared !== 0) return directions[index] === ">" ? -compared : compared;
	}
	return 0;
}

function isSortable(value: unknown): boolean {
	return typeof value === "string" || typeof value === "number";
}

/** Stable, like JSONata's own sort. */
export function sortBy<T>(list: readonly T[], compare: (left: T, right: T) => number): T[] {
	return [...list].sort(compare);
}

/** For an asynchronous comparison function. Stable; merges runs of 1, 2, 4 … */
export async function mergeSort(
	list: readonly unknown[],
	isGreater: Callback,
	meter: Meter,
): Promise<unknown[]> {
	let from = [...list];
	for (let width = 1; width < from.length; width *= 2) {
		const to: unknown[] = [];
		for (let start = 0; start < from.length; start += 2 * width) {
			const middle = Math.min(start + width, from.length);
			const end = Math.min(start + 2 * width, from.length);
			let [left, right] = [start, middle];
			while (left < middle && right < end) {
				meter.spend(STEP);
				const takesRight = Boolean(await isGreater(from[left], from[right]));
				to.push(takesRight ? from[right++] : from[left++]);
			}
			while (left < middle) to.push(from[left++]);
			while (right < end) to.push(from[right++]);
		}
		meter.spend(from.length);
		from = to;
	}
	return from;
}
