/**
 * Functions on arrays and objects. Those of JSONata that copy or compare everything with everything are written
 * anew and mean the same; the others run behind a charge for what they look at.
 */
import { GROUP_INPUT, ORDER, RANGE, spendGrouping } from "./bound-syntax.ts";
import type { BoundedFunction, Call } from "./call.ts";
import { isContainer, isFunction, MAX_ARRAY, type Meter, STEP } from "./meter.ts";

type Callback = (...args: unknown[]) => unknown;

export const listFunctions: Record<string, BoundedFunction> = {
	average: readNumbers,
	boolean: readFirst,
	count: readFirst,
	filter: callEach,
	keys: readMembers,
	lookup: readMembers,
	map: callEach,
	max: ({ args: [list], meter }) => extreme(list, meter, (number, best) => number > best),
	min: ({ args: [list], meter }) => extreme(list, meter, (number, best) => number < best),
	not: readFirst,
	reduce: callEach,
	single: callEach,
	sum: readNumbers,

	each: callEachMember,
	sift: callEachMember,

	append({ args: [left, right], meter, native }) {
		if (left !== undefined && right !== undefined) meter.makeArray(lengthOf(left) + lengthOf(right));
		return native(left, right);
	},
	clone: ({ args: [value], meter }) => copy(value, meter),
	distinct: ({ args: [list], meter, focus }) =>
		Array.isArray(list) && list.length > 1
			? distinct(list, "sequence" in list ? focus.createSequence() : [], meter)
			: list,
	merge({ args: [list], meter }) {
		if (!Array.isArray(list)) return undefined;
		const merged = Object.create(null) as Record<string, unknown>;
		for (const item of list) {
			if (!isContainer(item)) continue;
			for (const [name, value] of entriesOf(item, meter)) merged[name] = value;
		}
		return merged;
	},
	reverse: makeAsLong,
	shuffle: makeAsLong,
	async sort({ args: [list, isGreater], meter, native }) {
		if (!Array.isArray(list) || list.length <= 1) return list;
		meter.makeArray(list.length);
		if (isGreater !== undefined) return mergeSort(list, isGreater as Callback, meter);
		// With fewer than two it only looks whether they can be sorted.
		if (!isListOf(list, "number") && !isListOf(list, "string")) return native([{}, {}]);
		return sortBy(list, (left, right) => compareScalars(left, right, meter));
	},
	spread({ args: [value], meter, focus }) {
		if (!isContainer(value)) return isFunction(value) ? undefined : value;
		const spread = focus.createSequence();
		spreadInto(spread, value, meter);
		return spread;
	},
	zip({ args, meter, native }) {
		const length = Math.min(...args.map((list) => (Array.isArray(list) ? list.length : 0)));
		meter.makeArray(args.length === 0 ? 0 : length);
		meter.spend(4 * length * args.length);
		return native(...args);
	},

	[RANGE]({ args: [from, to], meter, focus }) {
		for (const [name, bound] of [
			["left", from],
			["right", to],
		]) {
			if (bound === undefined || Number.isSafeInteger(bound)) continue;
			throw new Error(`the ${String(name)} side of the range operator (..) must be an integer`);
		}
		if (typeof from !== "number" || typeof to !== "number" || from > to) return undefined;
		meter.makeArray(to - from + 1);
		const range = focus.createSequence();
		for (let number = from; number <= to; number++) range[number - from] = number;
		return range;
	},
	/** What goes into a grouping; never an array of the input that is empty, since JSONata writes into those. */
	[GROUP_INPUT]({ args: [list], meter, focus }) {
		if (!Array.isArray(list)) return list;
		spendGrouping(list, meter);
		return list.length === 0 ? focus.createSequence() : list;
	},
	/** `args`: the list, a `<` or `>` for each term, and each term as a function of an item. */
	async [ORDER]({ args: [list, directions, ...terms], meter, focus }) {
		if (!Array.isArray(list) || typeof directions !== "string") return list;
		if (list.length <= 1) return focus.createSequence(...list);
		meter.makeArray(list.length);
		const keyed: { item: unknown; keys: unknown[] }[] = [];
		for (const item of list) {
			const keys: unknown[] = [];
			for (const term of terms) keys.push(await (term as Callback)(item));
			keyed.push({ item, keys });
		}
		const sorted = sortBy(keyed, (left, right) => compareKeys(left.keys, right.keys, directions, meter));
		return sorted.map(({ item }) => item);
	},
};

/** JSONata checks the type of each. */
const NUMBER_WORK = 3;

function readNumbers({ args, meter, native }: Call): unknown {
	meter.spend(NUMBER_WORK * lengthOf(args[0]));
	return native(...args);
}

/** Of each object in a list. */
function readMembers({ args, meter, native }: Call): unknown {
	meter.readArray(args[0]);
	meter.spend(3 * lengthOf(args[0]));
	return native(...args);
}

function readFirst({ args, meter, native }: Call): unknown {
	meter.readArray(args[0]);
	return native(...args);
}

/** For each element, a call of a function: what that does is charged by itself. */
function callEach({ args, meter, native }: Call): unknown {
	meter.spend(STEP * lengthOf(args[0]));
	return native(...args);
}

function callEachMember({ args, meter, native }: Call): unknown {
	if (isContainer(args[0])) meter.spend(STEP * Object.keys(args[0]).length);
	return native(...args);
}

function makeAsLong({ args, meter, native }: Call): unknown {
	meter.makeArray(lengthOf(args[0]));
	return native(...args);
}

function lengthOf(value: unknown): number {
	return Array.isArray(value) ? value.length : 1;
}

function entriesOf(value: object, meter: Meter): [string, unknown][] {
	const entries = Object.entries(value);
	meter.spend(8 * entries.length);
	return entries;
}

function extreme(
	list: unknown,
	meter: Meter,
	isBetter: (number: number, best: number) => boolean,
): number | undefined {
	if (!Array.isArray(list)) return undefined;
	meter.spend(NUMBER_WORK * list.length);
	let best: number | undefined;
	for (const number of list as number[]) {
		if (best === undefined || isBetter(number, best)) best = number;
	}
	return best;
}

/** What `| … | … |` changes is a copy. The library's own goes by way of text, and rounds the numbers on it. */
export function copy(value: unknown, meter: Meter): unknown {
	meter.spend(4);
	if (!isContainer(value)) return value;
	meter.spend(20);
	if (Array.isArray(value)) return value.map((inner) => copy(inner, meter));
	const copied = Object.create(null) as Record<string, unknown>;
	for (const [name, inner] of entriesOf(value, meter)) copied[name] = copy(inner, meter);
	return copied;
}

/** Equal as `=` has it: objects whatever the order of their members. */
function distinct(list: readonly unknown[], into: unknown[], meter: Meter): unknown[] {
	const seen = new Set<unknown>();
	for (const item of list) {
		meter.spend(10);
		const key = isContainer(item) || JSON.isRawJSON(item) ? canonical(item, meter) : keyOf(item);
		if (seen.has(key)) continue;
		if (into.length >= MAX_ARRAY) meter.makeArray(into.length + 1);
		seen.add(key);
		into.push(item);
	}
	return into;
}

/** Texts must not look like the canonical form of something else. */
function keyOf(scalar: unknown): unknown {
	return typeof scalar === "string" ? `"${scalar}` : scalar;
}

function canonical(value: unknown, meter: Meter): string {
	meter.spend(20);
	if (typeof value === "string") meter.spend(value.length / 16);
	if (JSON.isRawJSON(value)) return JSON.stringify(value);
	if (!isContainer(value)) return JSON.stringify(value) ?? "";
	if (Array.isArray(value)) return `[${value.map((inner) => canonical(inner, meter)).join()}]`;
	const members = entriesOf(value, meter).map(
		([name, inner]) => `${JSON.stringify(name)}:${canonical(inner, meter)}`,
	);
	return `{${members.sort().join()}}`;
}

function spreadInto(spread: unknown[], value: unknown, meter: Meter): void {
	meter.spend(4);
	if (Array.isArray(value)) {
		for (const item of value) spreadInto(spread, item, meter);
	} else if (isContainer(value)) {
		for (const [name, inner] of entriesOf(value, meter)) {
			meter.spend(STEP);
			spread.push(Object.assign(Object.create(null), { [name]: inner }));
		}
	} else if (!isFunction(value) && value !== undefined) {
		spread.push(value);
	}
}

function isListOf(list: readonly unknown[], type: "number" | "string"): boolean {
	return list.every((item) => typeof item === type);
}

function compareScalars(left: unknown, right: unknown, meter: Meter): number {
	const isText = typeof left === "string" && typeof right === "string";
	meter.spend(2 + (isText ? Math.min(left.length, right.length) / 32 : 0));
	if (left === right) return 0;
	return (left as number) < (right as number) ? -1 : 1;
}

/** As JSONata orders: what has no value comes last, whatever the direction. */
function compareKeys(
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
			throw new Error("a list can be ordered by numbers or texts only");
		if (typeof one !== typeof other) {
			throw new Error("a list cannot be ordered by numbers and texts at the same time");
		}
		const compared = compareScalars(one, other, meter);
		if (compared !== 0) return directions[index] === ">" ? -compared : compared;
	}
	return 0;
}

function isSortable(value: unknown): boolean {
	return typeof value === "string" || typeof value === "number";
}

/** Stable, like JSONata's own. */
function sortBy<T>(list: readonly T[], compare: (left: T, right: T) => number): T[] {
	return [...list].sort(compare);
}

/** For a function that can only be awaited. Stable; runs of 1, 2, 4 … are merged. */
async function mergeSort(list: readonly unknown[], isGreater: Callback, meter: Meter): Promise<unknown[]> {
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
