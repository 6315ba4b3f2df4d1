/**
 * JSON.parse that returns errors as values, with the position. JavaScript engines report the position only in some
 * messages, and quote the payload in others, so it is computed here, and only after parsing has failed.
 */

export type ParsedJson =
	| { ok: true; value: unknown }
	/** `position` counts characters (UTF-16 code units) from 0; the length of the text if it ends unexpectedly. */
	| { ok: false; position: number };

export function parseJson(text: string): ParsedJson {
	try {
		return { ok: true, value: JSON.parse(text) as unknown };
	} catch {
		return { ok: false, position: syntaxErrorAt(text) };
	}
}

/**
 * Parses valid JSON for use in expressions: numbers that JavaScript cannot represent become strings of their digits,
 * because otherwise two different ids could become equal.
 */
export function parseWithExactNumbers(text: string): unknown {
	return parseNumbersAs(text, (digits) => digits);
}

/**
 * Parses valid JSON for transforms: numbers that JavaScript cannot represent become objects that JSON.stringify writes
 * with the original digits. They can be copied but not used in calculations.
 */
export function parseWithRawNumbers(text: string): unknown {
	return parseNumbersAs(text, (digits) => JSON.rawJSON(digits));
}

/** Only numbers with this many digits or an exponent may not be representable. */
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
 * Returns whether the number is the one in `source`: not an integer beyond 2^53 that lost digits, and not too large
 * (`1e400`) or too small (`1e-400`). Fractions may be rounded to about 17 digits.
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

/** The tokens allowed next. With `first…`, an empty container may also close. */
type Expected = "value" | "first value" | "name" | "first name" | "colon" | "comma" | "nothing";

const MAY_CLOSE: ReadonlySet<Expected> = new Set<Expected>(["first value", "first name", "comma"]);
const SPACES = /[ \t\r\n]*/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** The grammar of RFC 8259 as a state machine. Returns the position at which `text` stops being valid JSON. */
function syntaxErrorAt(text: string): number {
	/** The closing brackets still expected, innermost last. */
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

/** `end` is the position after the token, or of its first invalid character. */
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
