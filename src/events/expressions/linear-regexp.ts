/**
 * Regular expressions in time that is linear in the text (RE2), metered while they run. JSONata gets them as its
 * `RegexEngine`. JavaScript's own engine only ever parses the literals of an expression; it never runs them.
 */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import type { Meter } from "./meter.ts";

/** Instructions of a compiled regular expression: what a character can cost at the worst. */
const MAX_INSTRUCTIONS = 2_000;
/** Groups of a regular expression: each is carried along with every way it could match. */
const MAX_GROUPS = 50;
/** Memory of the automaton that looks whether a long text matches at all; it starts anew when this is full. */
const AUTOMATON_BYTES = 65_536;
/** Estimates of the memory of a compiled one, for caches. */
const BYTES_PER_INSTRUCTION = 400;

type Program = ReturnType<RE2JS["re2"]>;

export interface LinearRegExp {
	program: Program;
	instructions: number;
	/** Offsets that a match fills in: two for the whole and two for each group. */
	offsets: number;
	/** How long a text may be for the engine's backtracking with memory; its longer texts go another way. */
	shortText: number;
	/** An estimate of the memory it takes, its automaton included. */
	bytes: number;
}

export type CompiledRegExp =
	| { ok: true; regExp: LinearRegExp }
	/** `at` counts characters of the source from 0. */
	| { ok: false; message: string; at: number };

/** Look-around and back-references are refused: nothing can run them in linear time. */
export function compileRegExp({ source, flags }: Pick<RegExp, "source" | "flags">): CompiledRegExp {
	const refusal = refuseParts(source);
	if (refusal !== null) return { ok: false, ...refusal };
	try {
		const options =
			(flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0) | (flags.includes("m") ? RE2JS.MULTILINE : 0);
		const program = RE2JS.compile(RE2JS.translateRegExp(source), options).re2();
		const instructions = Number(program.numberOfInstructions());
		const groups = program.numberOfCapturingGroups();
		if (groups > MAX_GROUPS) return { ok: false, message: `it has more than ${MAX_GROUPS} groups`, at: 0 };
		const offsets = 2 * (1 + groups);
		const bytes = AUTOMATON_BYTES + instructions * (BYTES_PER_INSTRUCTION + 8 * offsets);
		// The bounds of re2js for its backtracking.
		const shortText = instructions <= 500 ? Math.floor(262_144 / instructions) : 0;
		return { ok: true, regExp: { program, instructions, offsets, shortText, bytes } };
	} catch (error) {
		if (!(error instanceof RE2JSSyntaxException)) return { ok: false, message: String(error), at: 0 };
		const wrong = error.input ?? "";
		return { ok: false, message: explain(error.error, wrong), at: Math.max(0, source.indexOf(wrong)) };
	}
}

const NO_REFERENCES = "back-references are not supported, because they can take exponential time";

function explain(error: string, wrong: string): string {
	if (/^\(\?<?[=!]/.test(wrong)) return "look-around is not supported, because it can take exponential time";
	if (/^\\[1-9]/.test(wrong)) return NO_REFERENCES;
	return `${error}: ${wrong}`;
}

/** An escape, the beginning of a group, a class, a repeat, or one character. */
const PARTS = /\\.|\((?:\?(?::|<[^>]*>))?|\[(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|[^]/gsu;

/**
 * What re2js would let pass: back-references that it reads as plain characters, and repeats that, written out, are so
 * long that compiling them takes seconds.
 */
function refuseParts(source: string): { message: string; at: number } | null {
	const outer: number[] = [];
	/** Parts of the group that is open, and of what a repeat would repeat. */
	let size = 0;
	let last = 0;
	for (const { 0: part, 1: least, 2: most, index } of source.matchAll(PARTS)) {
		if (/^\\[89k]/.test(part)) return { message: NO_REFERENCES, at: index };
		if (part.startsWith("(")) {
			outer.push(size);
			size = last = 0;
		} else if (part === ")") {
			last = size + 2;
			size = (outer.pop() ?? 0) + last;
		} else if (least === undefined) {
			last = 1;
			size += 1;
		} else {
			size += last * (Math.max(1, Number(least), Number(most ?? 0)) - 1);
		}
		if (size > MAX_INSTRUCTIONS) {
			const message = `it is too large: with its repeats written out it has more than ${MAX_INSTRUCTIONS} parts`;
			return { message, at: index };
		}
	}
	return null;
}

/** What JSONata makes of a literal at each evaluation: it stands for a RegExp with the flag `g`. */
export class MeteredRegExp {
	lastIndex = 0;
	readonly #regExp: LinearRegExp;
	readonly #meter: Meter;

	constructor(regExp: LinearRegExp, meter: Meter) {
		this.#regExp = regExp;
		this.#meter = meter;
	}

	/** As `RegExp.prototype.exec`; a value that is no text matches nothing, but for numbers and booleans. */
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
			// A group that took no part is undefined in JavaScript, and a hole in JSONata's list.
			groups.push(start < 0 ? (undefined as unknown as string) : text.slice(start, offsets[at + 1]));
		}
		return Object.assign(groups, { index });
	}

	#search(text: string): readonly number[] | null {
		if (this.lastIndex > text.length) return null;
		const { program, instructions, offsets, shortText } = this.#regExp;
		const isShort = text.length <= shortText;
		// Its backtracking clears a table of a bit for each instruction and character.
		this.#meter.spend(60 + (isShort ? (text.length * instructions) / 500 : 0));
		if (!isShort && !this.#mayMatch(text)) return null;
		const weight = isShort ? 3 : 6 + instructions * (1 / 2 + offsets / 32);
		const metered = new MeteredText(text, this.#meter, weight, null);
		return program.executeEngine(metered, this.lastIndex, UNANCHORED, offsets) as readonly number[] | null;
	}

	/** Finding where a long text matches takes ten times as long as whether it does, which is mostly no. */
	#mayMatch(text: string): boolean {
		const { program, instructions } = this.#regExp;
		const { dfa } = program;
		if (dfa.stateBudget > AUTOMATON_BYTES) dfa.stateBudget = dfa.memBudget = AUTOMATON_BYTES;
		// The beginning of the text, or a literal, is found faster without it.
		if (program.prefix !== "" || this.lastIndex > 0) return true;
		const scan = new MeteredText(text, this.#meter, 3, { dfa, work: 40 * instructions });
		return dfa.match(scan, this.lastIndex, UNANCHORED) !== false;
	}
}

function toText(value: unknown): string {
	if (typeof value === "string") return value;
	if (typeof value === "number" || typeof value === "boolean") return String(value);
	throw new Error("a regular expression is for texts");
}

interface Growing {
	dfa: Program["dfa"];
	work: number;
}

const UNANCHORED = 0;
const NO_CHARACTER = -8;
const LINE_FEED = 10;

/**
 * A text as re2js reads it (its MachineUTF16Input), counting what it reads. A step gives the code point and, in the
 * lowest three bits, its length.
 */
class MeteredText {
	readonly #text: string;
	readonly #meter: Meter;
	readonly #weight: number;
	/** The automaton that grows by what is read, and the work of one state more; null where none does. */
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

	/** The flags of re2js for what stands around a place: beginnings and ends of text, line and word. */
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

	/** Where the text goes on with the literal that every match begins with, counted from `at`; -1 nowhere. */
	index({ prefix }: { prefix: string }, at: number): number {
		const found = this.#find(prefix, at);
		return found < 0 ? -1 : found - at;
	}

	/** Whether a text that every match holds comes up. */
	hasString({ str }: { str: string }, at: number): boolean {
		return this.#find(str, at) >= 0;
	}

	/** Only saves work where the answer is no, and cannot be metered. */
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

/** Looking for a text of `part` characters through `length` of them. */
export function searchWork(length: number, part: number): number {
	return 1 + (length / 32) * (1 + part / 64);
}

function isWord(code: number): boolean {
	return (
		(code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
	);
}
