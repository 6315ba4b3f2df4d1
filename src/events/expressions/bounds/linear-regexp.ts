/**
 * Regular expressions with linear run time (RE2). JavaScript's own engine only parses the literals of an expression; it
 * never runs them.
 */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import type { Program } from "./metered-text.ts";

/** The maximum number of instructions of a compiled regular expression: the worst-case cost of one character. */
const MAX_INSTRUCTIONS = 2_000;
/** The maximum number of groups. Every possible match carries all of them along. */
const MAX_GROUPS = 50;
/** Memory of the automaton that checks whether a long text matches at all. Once full, the automaton starts over. */
export const AUTOMATON_BYTES = 65_536;
/** Estimated memory of a compiled regular expression, for caches. */
const BYTES_PER_INSTRUCTION = 400;

export interface LinearRegExp {
	program: Program;
	instructions: number;
	/** How many offsets a match fills in: two for the whole match and two for each group. */
	offsets: number;
	/** The longest text that the engine matches by backtracking with memory. For longer ones it uses another algorithm. */
	shortText: number;
	/** Estimated memory, including the automaton. */
	bytes: number;
}

export type CompiledRegExp =
	| { ok: true; regExp: LinearRegExp }
	/** The position in the source, in characters from 0. */
	| { ok: false; message: string; at: number };

/** Compiles a regular expression. Refuses look-around and back-references, which cannot run in linear time. */
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
		// re2js's own limits for backtracking.
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

/** An escape, the start of a group, a class, a repeat, or one character. */
const PARTS = /\\.|\((?:\?(?::|<[^>]*>))?|\[(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|[^]/gsu;

/**
 * Refuses two things that re2js would accept: back-references, which it reads as plain characters, and repeats that
 * become so long when written out that compiling them takes seconds.
 */
function refuseParts(source: string): { message: string; at: number } | null {
	const outer: number[] = [];
	/** The size of the open group so far, and the size of the part that the next repeat would repeat. */
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
