/**
 * A text as its readers may decode it: without JSON escapes or percent-encoding, up to several
 * levels deep. Positions in the decoded text can be traced back to the original. Pure.
 */

/** A decoded text, with the origin of each of its characters. */
export interface View {
	text: string;
	/**
	 * The position in the original of the character at `position`, or of the end of the character
	 * before it.
	 */
	origin: (position: number) => number;
}

/** JSON within JSON within JSON: a response that quotes a log line that quotes a request. */
const MAX_LEVELS = 3;

const CONTROLS: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const JSON_ESCAPE = /\\(?:u([0-9a-f]{4})|(.))/gis;
/**
 * Also matches printable ASCII as one percent-encoded byte, and other characters as two to four
 * bytes of UTF-8.
 */
const JSON_OR_PERCENT =
	/\\(?:u([0-9a-f]{4})|(.))|(%[2-7][0-9a-f]|%(?:[cd][0-9a-f]|e[0-9a-f]%[89ab][0-9a-f]|f[0-4](?:%[89ab][0-9a-f]){2})%[89ab][0-9a-f])/gis;

/** The text itself; without JSON escapes; and without percent-encoding as well. */
export function views(text: string): View[] {
	const asItStands: View = { text, origin: (position) => position };
	const json = levels(asItStands, JSON_ESCAPE, (said) => said.includes("\\"));
	const both = levels(asItStands, JSON_OR_PERCENT, (said) => /%[2-7c-f][0-9a-f]/i.test(said));
	return [asItStands, ...json, ...both];
}

/**
 * One view for each time that `pattern` is decoded, as long as `is` finds something to decode.
 */
function levels(outermost: View, pattern: RegExp, is: (text: string) => boolean): View[] {
	const all: View[] = [];
	for (let view = outermost; all.length < MAX_LEVELS && is(view.text);) {
		view = unescaped(view, pattern);
		all.push(view);
	}
	return all;
}

/** Each match of `pattern` becomes the character that it stands for. */
function unescaped(outer: View, pattern: RegExp): View {
	/** Where each match begins in the decoded text. */
	const positions: number[] = [];
	/**
	 * How much longer the outer text is, up to and including the escape at
	 * `positions[i]`.
	 */
	const longer: number[] = [];
	let text = "";
	let at = 0;
	for (const match of outer.text.matchAll(pattern)) {
		text += outer.text.slice(at, match.index);
		positions.push(text.length);
		text += meaning(match);
		at = match.index + match[0].length;
		longer.push(at - text.length);
	}
	text += outer.text.slice(at);
	return {
		text,
		origin: (position) => outer.origin(position + (longer[countBelow(positions, position) - 1] ?? 0)),
	};
}

function meaning([escape, unit, char, bytes]: RegExpExecArray): string {
	if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16));
	if (bytes === undefined) return CONTROLS[char ?? ""] ?? char ?? "";
	try {
		return decodeURIComponent(bytes);
	} catch {
		// Not a character: an overlong form, or half of a surrogate pair.
		return escape;
	}
}

/** How many of `sorted` are below `limit`. */
function countBelow(sorted: readonly number[], limit: number): number {
	let low = 0;
	let high = sorted.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((sorted[middle] ?? 0) < limit) low = middle + 1;
		else high = middle;
	}
	return low;
}
