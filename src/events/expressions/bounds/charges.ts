/** What JSONata's operators cost, depending on their operands, and which operands are refused. */
import { isContainer, isFunction, type Meter, STEP } from "./meter.ts";

/** Sorting with variables from `@`, `#` or `%` copies the rest of the list for each comparison. */
const MAX_TUPLES_SORTED = 2_000;

/** To decide whether an array is true, or is a list of numbers, JSONata looks at every element. */
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

/** Each list among the values is appended to a copy of the previous ones. */
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

/** When all items have one key, each is appended to a copy of the previous ones. */
export function spendGrouping(list: readonly unknown[], meter: Meter): void {
	let length = 0;
	for (const item of list) {
		length += Array.isArray(item) ? item.length : 1;
		meter.spend(1 + length / 8);
	}
}

export function spendTupleSort(_input: unknown, meter: Meter): void {
	if (meter.longest > MAX_TUPLES_SORTED) {
		meter.stop(
			`the expression sorts more than ${MAX_TUPLES_SORTED} items that carry variables from @, # or %`,
		);
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
	throw new Error("only a function can be partially applied");
}

/** A transform would change the function itself, or its body, which other calls use too. */
export function refuseFunctions(matches: unknown, meter: Meter): void {
	const list: readonly unknown[] = Array.isArray(matches) ? matches : [matches];
	meter.spend(list.length);
	if (list.some(isFunction)) throw new Error("a transform cannot change a function");
}

/*
 * JSONata's own errors for these contain the value as JSON text, however large it is, and even if it contains itself.
 */

export function refuseKey(key: unknown): void {
	if (key === undefined || typeof key === "string") return;
	throw new Error("the name of an object member must be a string");
}

/** An object with a callable member `then` looks like a promise, and awaiting it would never end. */
export function refuseMember(value: unknown): void {
	if (typeof value === "function") throw new Error("a function cannot be a member of an object here");
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
	if (!Array.isArray(value))
		throw new Error("the third part of a transform, the fields to delete, must be strings");
	meter.spend(4 * value.length);
	if (!value.every((name) => typeof name === "string")) {
		throw new Error("the third part of a transform, the fields to delete, must be strings");
	}
}
