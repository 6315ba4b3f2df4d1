/** The cost of JSONata's operators, depending on their values, and the values that they must not receive. */
import { isContainer, isFunction, type Meter, STEP } from "./meter.ts";

/** Sorting with variables from `@`, `#` or `%` copies the rest of the list for each comparison. */
const MAX_TUPLES_SORTED = 2_000;

/** JSONata looks at every element of an array to say whether it is true, and whether it is a list of numbers. */
export function spendCondition(value: unknown, meter: Meter): void {
	if (!Array.isArray(value)) return;
	meter.readArray(value);
	meter.spend(2 * value.length);
}

export function spendList(value: unknown, meter: Meter): void {
	if (!Array.isArray(value)) return;
	meter.spend(value.length);
	for (const item of value) if (typeof item === "string") meter.spend(item.length / 64);
}

export function spendComparison(value: unknown, meter: Meter): void {
	if (typeof value === "string") meter.spend(value.length / 32);
	else if (isContainer(value)) meter.readAll(value, 8);
}

/** Each list among the values is joined to a copy of those before it. */
export function spendWildcard(input: unknown, meter: Meter): void {
	if (!isContainer(input)) return;
	let length = 0;
	for (const value of Array.isArray(input) ? input : Object.values(input)) {
		meter.readArray(value);
		length += Array.isArray(value) ? value.length : 1;
		meter.spend(1 + (Array.isArray(value) ? length / 4 : 0));
	}
}

export function spendObject(input: unknown, meter: Meter): void {
	if (!Array.isArray(input)) return;
	if (input.length === 0) meter.keepEmpty(input);
	spendGrouping(input, meter);
}

/** When all items have one key, each is joined to a copy of those before it. */
export function spendGrouping(list: readonly unknown[], meter: Meter): void {
	let length = 0;
	for (const item of list) {
		length += Array.isArray(item) ? item.length : 1;
		meter.spend(1 + length / 8);
	}
}

export function spendTupleSort(_input: unknown, meter: Meter): void {
	if (meter.longest > MAX_TUPLES_SORTED) {
		meter.stop(`the expression sorts more than ${MAX_TUPLES_SORTED} items that carry variables of @, # or %`);
	}
	meter.spend(STEP + meter.longest / 16);
}

export function refuseLongText(value: unknown, meter: Meter): void {
	if (typeof value !== "string") return;
	meter.checkText(value.length);
	meter.spend(value.length / 64);
}

/** An event can contain an object that looks like a function, with an unchecked syntax tree as its body. */
export function refuseForgery(value: unknown): void {
	if (value === undefined || isFunction(value)) return;
	throw new Error("only a function can be applied in part");
}

/** A transform would change the function itself, which others call too, or its body. */
export function refuseFunctions(matches: unknown, meter: Meter): void {
	const list: readonly unknown[] = Array.isArray(matches) ? matches : [matches];
	meter.spend(list.length);
	if (list.some(isFunction)) throw new Error("a transform cannot change a function");
}

/*
 * The errors of JSONata for these show the value as JSON text, however large it is or refers to itself.
 */

export function refuseKey(key: unknown): void {
	if (key === undefined || typeof key === "string") return;
	throw new Error("the name of a member must be text");
}

/** With a callable member `then` the object looks like a promise, and awaiting it would never end. */
export function refuseMember(value: unknown): void {
	if (typeof value === "function") throw new Error("a function cannot be the member of an object here");
}

export function refuseNegation(value: unknown): void {
	if (value === undefined || typeof value === "number") return;
	throw new Error("only a number can be negated");
}

export function spendUpdate(value: unknown, meter: Meter): void {
	if (value === undefined) return;
	if (!isContainer(value) || Array.isArray(value)) {
		if (!isFunction(value)) throw new Error("the update of a transform must be an object");
		throw new Error("the update of a transform must not be a function");
	}
	meter.spend(8 * Object.keys(value).length);
}

export function refuseDeletion(value: unknown, meter: Meter): void {
	if (value === undefined || typeof value === "string") return;
	if (!Array.isArray(value)) throw new Error("the deletion of a transform must be texts");
	meter.spend(4 * value.length);
	if (!value.every((name) => typeof name === "string")) {
		throw new Error("the deletion of a transform must be texts");
	}
}
