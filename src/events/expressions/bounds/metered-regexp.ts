/** Metered regular expressions, passed to JSONata as its `RegexEngine`. */
import { AUTOMATON_BYTES, type LinearRegExp } from "./linear-regexp.ts";
import { MeteredText } from "./metered-text.ts";
import type { Meter } from "./meter.ts";

const UNANCHORED = 0;

/** What JSONata creates from a literal at each evaluation, in place of a RegExp with the flag `g`. */
export class MeteredRegExp {
	lastIndex = 0;
	readonly #regExp: LinearRegExp;
	readonly #meter: Meter;

	constructor(regExp: LinearRegExp, meter: Meter) {
		this.#regExp = regExp;
		this.#meter = meter;
	}

	/** Like `RegExp.prototype.exec`. Numbers and booleans are converted to text; any other type throws. */
	exec(value: unknown): (string[] & { index: number }) | null {
		const text = toText(value);
		const offsets = this.#search(text);
		if (offsets === null) {
			this.lastIndex = 0;
			return null;
		}
		const [index = 0, end = 0] = offsets;
		this.lastIndex = end;
		const groups: string[] = [];
		for (let at = 0; at < offsets.length; at += 2) {
			const start = offsets[at] ?? -1;
			// A group that did not take part is undefined in JavaScript, and a hole in JSONata's list.
			groups.push(start < 0 ? (undefined as unknown as string) : text.slice(start, offsets[at + 1]));
		}
		return Object.assign(groups, { index });
	}

	#search(text: string): readonly number[] | null {
		if (this.lastIndex > text.length) return null;
		const { program, instructions, offsets, shortText } = this.#regExp;
		const isShort = text.length <= shortText;
		// Backtracking first clears a table with one bit for each instruction and character.
		this.#meter.spend(60 + (isShort ? (text.length * instructions) / 500 : 0));
		if (!isShort && !this.#mayMatch(text)) return null;
		const weight = isShort ? 3 : 6 + instructions * (1 / 2 + offsets / 32);
		const metered = new MeteredText(text, this.#meter, weight, null);
		return program.executeEngine(metered, this.lastIndex, UNANCHORED, offsets) as readonly number[] | null;
	}

	/** Most long texts do not match. Finding that out is ten times cheaper than finding where a text matches. */
	#mayMatch(text: string): boolean {
		const { program, instructions } = this.#regExp;
		const { dfa } = program;
		if (dfa.stateBudget > AUTOMATON_BYTES) dfa.stateBudget = dfa.memBudget = AUTOMATON_BYTES;
		// The start of the text, or a literal, is found faster without this check.
		if (program.prefix !== "" || this.lastIndex > 0) return true;
		const scan = new MeteredText(text, this.#meter, 3, { dfa, work: 40 * instructions });
		return dfa.match(scan, this.lastIndex, UNANCHORED) !== false;
	}
}

function toText(value: unknown): string {
	if (typeof value === "string") return value;
	if (typeof value === "number" || typeof value === "boolean") return String(value);
	throw new Error("a regular expression can only be applied to a string");
}
