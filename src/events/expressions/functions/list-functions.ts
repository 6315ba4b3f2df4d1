/**
 * Functions on arrays and objects. JSONata's functions that copy or compare every pair are reimplemented with the same
 * results; the others run after a charge for what they read.
 */
import type { BoundedFunction, Call } from "../bounds/call.ts";
import { spendGrouping } from "../bounds/charges.ts";
import { distinct } from "./distinct.ts";
import { entriesOf, isContainer, isFunction, type Meter, STEP } from "../bounds/meter.ts";
import { compareKeys, compareScalars, isListOf, mergeSort, sortBy } from "./ordering.ts";
import { GROUP_INPUT, ORDER, RANGE } from "../syntax/replace-syntax.ts";

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
		// With fewer than two items, JSONata's own function only checks whether they can be sorted.
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
	/** The input of a grouping. An empty array is replaced by a new one, because JSONata writes into it. */
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

/** JSONata checks the type of each element. */
const NUMBER_WORK = 3;

function readNumbers({ args, meter, native }: Call): unknown {
	meter.spend(NUMBER_WORK * lengthOf(args[0]));
	return native(...args);
}

/** For functions that look at every member of a list's objects. */
function readMembers({ args, meter, native }: Call): unknown {
	meter.readArray(args[0]);
	meter.spend(3 * lengthOf(args[0]));
	return native(...args);
}

function readFirst({ args, meter, native }: Call): unknown {
	meter.readArray(args[0]);
	return native(...args);
}

/** Charges for one function call per element. The work of the function itself is charged separately. */
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

/** Makes the copy that `| … | … |` changes. The library's own copy goes through JSON text, which rounds numbers. */
export function copy(value: unknown, meter: Meter): unknown {
	meter.spend(4);
	if (!isContainer(value)) return value;
	meter.spend(20);
	if (Array.isArray(value)) return value.map((inner) => copy(inner, meter));
	const copied = Object.create(null) as Record<string, unknown>;
	for (const [name, inner] of entriesOf(value, meter)) copied[name] = copy(inner, meter);
	return copied;
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
