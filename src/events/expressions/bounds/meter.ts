/**
 * The work limit of an evaluation. Workers freeze the clock while code runs, so a time limit could never fire. Instead,
 * work is counted before it is done. A unit is about 10 ns on a 2026 machine.
 */

/** The maximum work of an evaluation: about 100 ms of CPU. */
export const MAX_WORK = 10_000_000;
/** The work of one evaluator step: an evaluation may take 200,000 of them. */
export const STEP = 50;
/** The maximum number of concurrent evaluations, nested or parallel; each uses some kilobytes. */
export const MAX_DEPTH = 10_000;
/** The maximum length of an array that an expression creates. */
export const MAX_ARRAY = 100_000;
/** The maximum length of a text that an expression creates, in characters: an event, plus some room for a wrapper. */
const MAX_TEXT = 1_114_112;

export class Meter {
	#spent = 0;
	#isClosed = false;
	#overrun: string | null = null;
	/** Arrays of the input that were empty. JSONata may leave an element in them. */
	readonly #emptyArrays: unknown[][] = [];
	/** The longest sequence created so far. */
	longest = 0;

	/** Why the evaluation was stopped, or null. */
	get overrun(): string | null {
		return this.#overrun;
	}

	/** The units used so far. */
	get spent(): number {
		return this.#spent;
	}

	/** Charges for work. Throws if too few units are left. */
	spend(work: number): void {
		const spent = this.#spent + work;
		if (this.#isClosed || !(spent <= MAX_WORK)) {
			this.stop("the expression takes too many steps, or reads or creates too much data");
		}
		this.#spent = spent;
	}

	/** Ends the evaluation by throwing. The first reason is kept. */
	stop(reason: string): never {
		this.#overrun ??= reason;
		this.#isClosed = true;
		throw new Error(reason);
	}

	/** Stops work that still runs after its evaluation has ended, at its next step. */
	close(): void {
		this.#isClosed = true;
		for (const list of this.#emptyArrays) list.length = 0;
	}

	/** Remembers an empty array of the input: JSONata puts an `undefined` into it, which `close` removes. */
	keepEmpty(list: unknown[]): void {
		this.#emptyArrays.push(list);
	}

	/** Charges for a text before it is created. */
	makeText(length: number): void {
		this.checkText(length);
		this.spend(length / 2);
	}

	/** Ends the evaluation if a text would be too long. */
	checkText(length: number): void {
		if (!(length <= MAX_TEXT)) this.stop(`the expression creates a text of more than ${MAX_TEXT} characters`);
	}

	/** Charges for an array before it is created. */
	makeArray(length: number): void {
		if (!(length <= MAX_ARRAY))
			this.stop(`the expression creates an array of more than ${MAX_ARRAY} elements`);
		this.spend(4 * length);
	}

	/** Charges for reading the elements of an array, including nested arrays. Other values are free. */
	readArray(value: unknown): void {
		if (!Array.isArray(value)) return;
		const open: unknown[][] = [value];
		for (let list = open.pop(); list !== undefined; list = open.pop()) {
			this.spend(list.length + 1);
			for (const item of list) if (Array.isArray(item)) open.push(item);
		}
	}

	/** Charges for reading a value completely: `each` units for every value in it. */
	readAll(value: unknown, each: number): void {
		const open: unknown[] = [value];
		while (open.length > 0) {
			const at = open.pop();
			this.spend(each);
			if (typeof at === "string") this.spend(at.length / 32);
			if (!isContainer(at)) continue;
			const inner = Array.isArray(at) ? at : Object.values(at);
			this.spend(inner.length);
			for (const item of inner) open.push(item);
		}
	}
}

/** An array or object that can be read into, as opposed to a JSONata function or a number kept as text. */
export function isContainer(value: unknown): value is unknown[] | Record<string, unknown> {
	return typeof value === "object" && value !== null && !isFunction(value) && !JSON.isRawJSON(value);
}

/**
 * JSONata's own functions are objects with code or an environment, and a mark that an event could have too. Regular
 * expressions, and functions passed as arguments, are JavaScript functions.
 */
export function isFunction(value: unknown): boolean {
	if (typeof value === "function") return true;
	if (typeof value !== "object" || value === null) return false;
	const { implementation, environment } = value as { implementation?: unknown; environment?: unknown };
	if (typeof implementation === "function") return true;
	return typeof environment === "object" && environment !== null && isFrame(environment);
}

function isFrame({ lookup }: { lookup?: unknown }): boolean {
	return typeof lookup === "function";
}

/** Returns the members of an object and charges for them. */
export function entriesOf(value: object, meter: Meter): [string, unknown][] {
	const entries = Object.entries(value);
	meter.spend(8 * entries.length);
	return entries;
}
