/**
 * A text as its readers may understand it: without the escapes of JSON, without percent-encoding. What is found there
 * can be traced to where it stands in the original. Pure.
 */

/** A text as its reader may understand it, and where each of its characters comes from. */
export interface View {
	text: string;
	/** The position in the original of the character at `position`, or of the end of the one before it. */
	origin: (position: number) => number;
}

const CONTROLS: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const JSON_ESCAPE = /\\(?:u([0-9a-f]{4})|(.))/gis;
const JSON_OR_PERCENT = /\\(?:u([0-9a-f]{4})|(.))|%([2-7][0-9a-f])/gis;

/** As it stands; without the escapes of JSON; and without percent-encoding either. */
export function views(text: string): View[] {
	const all: View[] = [{ text, origin: (position) => position }];
	if (text.includes("\\")) all.push(unescaped(text, JSON_ESCAPE));
	if (/%[2-7][0-9a-f]/i.test(text)) all.push(unescaped(text, JSON_OR_PERCENT));
	return all;
}

/** Each match of `pattern` becomes the one character that it stands for. */
function unescaped(original: string, pattern: RegExp): View {
	const positions: number[] = [];
	/** How much longer the original is, up to and with the escape at `positions[i]`. */
	const longer: number[] = [];
	let sum = 0;
	const text = original.replace(
		pattern,
		(match, unit: string | undefined, char: string | undefined, byte: string | undefined, at: unknown) => {
			// The second pattern has a group more.
			const offset = typeof byte === "number" ? byte : (at as number);
			const code = unit ?? (typeof byte === "string" ? byte : undefined);
			positions.push(offset - sum);
			sum += match.length - 1;
			longer.push(sum);
			if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
			return CONTROLS[char ?? ""] ?? char ?? "";
		},
	);
	return { text, origin: (position) => position + (longer[countBelow(positions, position) - 1] ?? 0) };
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
