/**
 * What a terminal shows at the end of a recording. Supports only the few control sequences that the demo uses. Pure:
 * converts the recorded text to lines of styled runs.
 */

export interface Style {
	bold: boolean;
	dim: boolean;
	/** SGR number, 31 to 36; null for the default colour. */
	colour: number | null;
}

/** Adjacent characters of one style. */
export interface Run {
	text: string;
	style: Style;
}

interface Cell {
	character: string;
	style: Style;
}

const PLAIN: Style = { bold: false, dim: false, colour: null };
/** A control sequence with its numbers and its letter, or one character. */
// oxlint-disable-next-line no-control-regex -- escapes are what this reads
const TOKEN = /\u001b\[\??([\d;]*)([A-Za-z])|([\s\S])/gu;

/** Returns the lines of the last screen, without empty lines at either end. */
export function lastScreen(recording: string): Run[][] {
	let lines: Cell[][] = [[]];
	let row = 0;
	let column = 0;
	let style = PLAIN;
	for (const [, numbers = "", letter, character = ""] of recording.matchAll(TOKEN)) {
		if (letter === "m") style = restyled(style, numbers);
		else if (letter === "A") row = Math.max(0, row - Number(numbers || 1));
		else if (letter === "J") {
			lines = lines.slice(0, row + 1);
			lines[row]?.splice(column);
		} else if (character === "\r") column = 0;
		else if (character === "\n") {
			row += 1;
			lines[row] ??= [];
		} else if (letter === undefined) {
			const line = (lines[row] ??= []);
			line[column] = { character, style };
			column += 1;
		}
	}
	const runs = lines.map(runsOf);
	const first = runs.findIndex((line) => line.length > 0);
	const last = runs.findLastIndex((line) => line.length > 0);
	return first < 0 ? [] : runs.slice(first, last + 1);
}

function restyled(style: Style, numbers: string): Style {
	return numbers.split(";").reduce((so: Style, number) => {
		const code = Number(number);
		if (code === 0) return PLAIN;
		if (code === 1) return { ...so, bold: true };
		if (code === 2) return { ...so, dim: true };
		if (code === 22) return { ...so, bold: false, dim: false };
		if (code === 39) return { ...so, colour: null };
		return code >= 31 && code <= 36 ? { ...so, colour: code } : so;
	}, style);
}

/** Leaves out spaces at the end of a line. */
function runsOf(cells: Cell[]): Run[] {
	const runs: Run[] = [];
	for (const { character, style } of cells) {
		const last = runs.at(-1);
		if (last !== undefined && isSame(last.style, style)) last.text += character;
		else runs.push({ text: character, style });
	}
	while (runs.at(-1)?.text.trim() === "") runs.pop();
	return runs;
}

function isSame(a: Style, b: Style): boolean {
	return a.bold === b.bold && a.dim === b.dim && a.colour === b.colour;
}
