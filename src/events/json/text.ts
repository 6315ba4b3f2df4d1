/**
 * Extracts the source text of values from JSON, so that payloads are delivered exactly as sent. Works only on text that
 * `JSON.parse` has accepted: the syntax is valid, so brackets and quotes suffice to find the ends. One pass, without
 * recursion.
 */

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Returns the raw text of each member of the object `text`, by its decoded name. For duplicate names the last one
 * counts, as in `JSON.parse`.
 */
export function memberTexts(text: string): Map<string, string> {
	const members = new Map<string, string>();
	let at = skipSpace(text, skipSpace(text, 0) + 1);
	while (text.charCodeAt(at) === QUOTE) {
		const nameEnd = stringEnd(text, at);
		const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
		const end = valueEnd(text, start);
		members.set(decodeName(text.slice(at, nameEnd)), text.slice(start, end));
		at = afterComma(text, end);
	}
	return members;
}

/** Returns the raw text of each element of the array `text`, in order. */
export function elementTexts(text: string): string[] {
	const elements: string[] = [];
	let at = skipSpace(text, skipSpace(text, 0) + 1);
	while (at < text.length && text.charCodeAt(at) !== CLOSE_BRACKET) {
		const end = valueEnd(text, at);
		elements.push(text.slice(at, end));
		at = afterComma(text, end);
	}
	return elements;
}

function decodeName(quoted: string): string {
	return quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

/** Returns the start of the next member or element, or the closing bracket if there is none. */
function afterComma(text: string, valueEndsAt: number): number {
	const at = skipSpace(text, valueEndsAt);
	return text.charCodeAt(at) === COMMA ? skipSpace(text, at + 1) : at;
}

function valueEnd(text: string, start: number): number {
	const first = text.charCodeAt(start);
	if (first === QUOTE) return stringEnd(text, start);
	if (first === OPEN_BRACE || first === OPEN_BRACKET) return containerEnd(text, start);
	return scalarEnd(text, start);
}

function containerEnd(text: string, start: number): number {
	let depth = 0;
	let at = start;
	while (at < text.length) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) {
			at = stringEnd(text, at);
			continue;
		}
		at++;
		if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
		else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) break;
	}
	return at;
}

/**
 * Returns the position after the string that starts at `start`. A quote ends it if an even number of backslashes
 * precedes.
 */
export function stringEnd(text: string, start: number): number {
	let quote = text.indexOf('"', start + 1);
	while (quote !== -1) {
		let before = quote - 1;
		while (text.charCodeAt(before) === BACKSLASH) before--;
		if ((quote - before) % 2 === 1) return quote + 1;
		quote = text.indexOf('"', quote + 1);
	}
	return text.length;
}

function scalarEnd(text: string, start: number): number {
	let at = start;
	while (at < text.length) {
		const code = text.charCodeAt(at);
		if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)) break;
		at++;
	}
	return at;
}

function skipSpace(text: string, start: number): number {
	let at = start;
	while (isSpace(text.charCodeAt(at))) at++;
	return at;
}

function isSpace(code: number): boolean {
	return code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB;
}
