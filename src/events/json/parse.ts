/**
 * JSON.parse as a value instead of an exception, with the place of the mistake. Engines tell the place in some of
 * their messages only, and quote the payload in others, so it is found here, and only after parsing has failed.
 */

export type ParsedJson =
	| { ok: true; value: unknown }
	/** `position` counts characters (UTF-16 code units) from 0; the length of the text when it ends too early. */
	| { ok: false; position: number };

export function parseJson(text: string): ParsedJson {
	try {
		return { ok: true, value: JSON.parse(text) as unknown };
	} catch {
		return { ok: false, position: syntaxErrorAt(text) };
	}
}

/**
 * The value of valid JSON for expressions to look at: numbers that JavaScript's cannot hold become strings of their
 * digits, because as numbers two different ids would be one.
 */
export function parseWithExactNumbers(text: string): unknown {
	return parseNumbersAs(text, (digits) => digits);
}

/**
 * The value of valid JSON for expressions to hand on: numbers that JavaScript's cannot hold become objects that
 * JSON.stringify writes as the digits that came. They can be placed, not reckoned with.
 */
export function parseWithRawNumbers(text: string): unknown {
	return parseNumbersAs(text, (digits) => JSON.rawJSON(digits));
}

/** Only a number with this many digits, or with an exponent, may not fit. */
const MAY_NOT_FIT = /\d{16}|\d[eE][+-]?\d{2}/;

function parseNumbersAs(text: string, exact: (digits: string) => unknown): unknown {
	if (!MAY_NOT_FIT.test(text)) return JSON.parse(text);
	// `source` is the text of a primitive value (JSON.parse source text access, ECMA-262 2026).
	const revive = (_name: string, value: unknown, context?: { source?: string }): unknown => {
		const source = context?.source;
		if (typeof value !== "number" || source === undefined) return value;
		return fits(value, source) ? value : exact(source);
	};
	try {
		return JSON.parse(text, revive);
	} catch {
		// Revivers recurse: deep nesting overflows the stack where parsing alone does not.
		return JSON.parse(text);
	}
}

/**
 * Whether the number still is the one that `source` says: not an integer beyond 2^53 with more digits than it has,
 * not too large (`1e400`) or too small (`1e-400`) to be any. Fractions are rounded to some 17 digits.
 */
function fits(value: number, source: string): boolean {
	if (!Number.isFinite(value)) return false;
	const [mantissa = ""] = source.split(/e/i);
	if (value === 0) return !/[1-9]/.test(mantissa);
	if (!Number.isInteger(value) || Number.isSafeInteger(value)) return true;
	const digits = mantissa.replace("-", "").replace(".", "");
	return mantissa !== source && digits.length <= 15;
}

declare global {
	interface JSON {
		/** A value that JSON.stringify writes as exactly `text` (ECMA-262 2026); TypeScript knows neither yet. */
		rawJSON(text: string): object;
		isRawJSON(value: unknown): boolean;
	}
}

/** What may stand next; the `first…` ones are where a container may also close while it is empty. */
type Expected = "value" | "first value" | "name" | "first name" | "colon" | "comma" | "nothing";

const MAY_CLOSE: ReadonlySet<Expected> = new Set<Expected>(["first value", "first name", "comma"]);
const SPACES = /[ \t\r\n]*/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** The grammar of RFC 8259 as a state machine: the position at which `text` stops being JSON. */
function syntaxErrorAt(text: string): number {
	/** The brackets that are still to come, innermost last. */
	const closers: string[] = [];
	let expected: Expected = "value";
	let at = 0;
	for (;;) {
		at = matchEnd(SPACES, text, at) ?? at;
		const char = text.charAt(at);
		if (char === "") return at;
		if (char === closers.at(-1) && MAY_CLOSE.has(expected)) {
			closers.pop();
			expected = afterValue(closers);
			at++;
			continue;
		}
		switch (expected) {
			case "name":
			case "first name":
			case "value":
			case "first value": {
				const isName = expected.endsWith("name");
				if (!isName && (char === "{" || char === "[")) {
					closers.push(char === "{" ? "}" : "]");
					expected = char === "{" ? "first name" : "first value";
					at++;
					break;
				}
				if (isName && char !== '"') return at;
				const { end, ok } = char === '"' ? readString(text, at) : readScalar(text, at);
				if (!ok) return end;
				expected = isName ? "colon" : afterValue(closers);
				at = end;
				break;
			}
			case "colon":
				if (char !== ":") return at;
				expected = "value";
				at++;
				break;
			case "comma":
				if (char !== ",") return at;
				expected = closers.at(-1) === "}" ? "name" : "value";
				at++;
				break;
			case "nothing":
				return at;
		}
	}
}

function afterValue(closers: readonly string[]): Expected {
	return closers.length === 0 ? "nothing" : "comma";
}

/** `end` is behind the token, or the position of its first wrong character. */
interface Token {
	ok: boolean;
	end: number;
}

function readScalar(text: string, start: number): Token {
	const end = matchEnd(SCALAR, text, start);
	return { ok: end !== null, end: end ?? start };
}

function readString(text: string, start: number): Token {
	let at = start + 1;
	while (at < text.length) {
		const char = text.charAt(at);
		if (char === '"') return { ok: true, end: at + 1 };
		if (char < " ") break;
		const next = char === "\\" ? matchEnd(ESCAPE, text, at) : at + 1;
		if (next === null) break;
		at = next;
	}
	return { ok: false, end: at };
}

function matchEnd(pattern: RegExp, text: string, at: number): number | null {
	pattern.lastIndex = at;
	return pattern.test(text) ? pattern.lastIndex : null;
}
