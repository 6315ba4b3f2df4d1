/** The input of re2js (its MachineUTF16Input) over a text, counting what is read. */
import type { RE2JS } from "re2js";
import type { Meter } from "./meter.ts";

/** re2js's compiled form, with the methods and fields that are used here. re2js does not document them. */
export type Program = ReturnType<RE2JS["re2"]>;

/** The automaton that grows as text is read, and the cost of each new state. */
export interface Growing {
	dfa: Program["dfa"];
	work: number;
}

const NO_CHARACTER = -8;
const LINE_FEED = 10;

/** A step returns the code point and, in the lowest three bits, its length. */
export class MeteredText {
	readonly #text: string;
	readonly #meter: Meter;
	readonly #weight: number;
	/** The automaton that grows as text is read, and the cost of each new state; null if there is none. */
	readonly #growing: Growing | null;
	#automatonLeft = 0;

	constructor(text: string, meter: Meter, weight: number, growing: Growing | null) {
		this.#text = text;
		this.#meter = meter;
		this.#weight = weight;
		this.#growing = growing;
	}

	step(at: number): number {
		this.#meter.spend(this.#weight);
		if (this.#growing !== null && this.#growing.dfa.memBudget !== this.#automatonLeft) {
			this.#automatonLeft = this.#growing.dfa.memBudget;
			this.#meter.spend(this.#growing.work);
		}
		const point = this.#text.codePointAt(at);
		if (point === undefined) return NO_CHARACTER;
		return (point << 3) | (point > 0xffff ? 2 : 1);
	}

	/** re2js's flags for a position: start and end of the text, start and end of a line, word boundary. */
	context(at: number): number {
		const before = at > 0 && at <= this.#text.length ? this.#text.charCodeAt(at - 1) : -1;
		const after = at < this.#text.length ? this.#text.charCodeAt(at) : -1;
		let flags = isWord(before) === isWord(after) ? 32 : 16;
		if (before < 0) flags |= 4 | 1;
		if (before === LINE_FEED) flags |= 1;
		if (after < 0) flags |= 8 | 2;
		if (after === LINE_FEED) flags |= 2;
		return flags;
	}

	/** The distance from `at` to the next occurrence of the literal that every match starts with, or -1. */
	index({ prefix }: { prefix: string }, at: number): number {
		const found = this.#find(prefix, at);
		return found < 0 ? -1 : found - at;
	}

	/** Whether the text contains a string that every match contains. */
	hasString({ str }: { str: string }, at: number): boolean {
		return this.#find(str, at) >= 0;
	}

	/** This shortcut only saves work if nothing matches, and it cannot be metered, so it is switched off. */
	hasAnyString(): boolean {
		return true;
	}

	canCheckPrefix(): boolean {
		return true;
	}

	prefixLength({ prefix }: { prefix: string }): number {
		return prefix.length;
	}

	endPos(): number {
		return this.#text.length;
	}

	#find(part: string, at: number): number {
		const found = this.#text.indexOf(part, at);
		this.#meter.spend(searchWork((found < 0 ? this.#text.length : found) - at, part.length));
		return found;
	}
}

/** The cost of searching `length` characters for a string of `part` characters. */
export function searchWork(length: number, part: number): number {
	return 1 + (length / 32) * (1 + part / 64);
}

function isWord(code: number): boolean {
	return (
		(code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
	);
}
