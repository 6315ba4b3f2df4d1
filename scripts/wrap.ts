/** Word wrapping. Pure. The text may contain colours. */
import { stripVTControlCharacters } from "node:util";

export interface Margins {
	/** Start of the first line. */
	first: string;
	/** Start of every further line. */
	rest: string;
}

/** A text that is not broken, and the space before it unless it starts a line. */
export interface Piece {
	gap: string;
	text: string;
}

/** Returns the number of terminal columns that the text takes. */
export function visibleWidth(text: string): number {
	return stripVTControlCharacters(text).length;
}

/** Wraps at words, to lines shorter than `columns`. A style that spans words also colours the margins. */
export function wrapWords(text: string, columns: number, margins: Margins): string[] {
	const words = [...text.matchAll(/( *)([^ ]+)/g)];
	return wrapPieces(
		words.map(([, gap = "", word = ""]) => ({ gap, text: word })),
		columns,
		margins,
	);
}

/** Wraps between pieces, to lines shorter than `columns`. A piece that is too wide gets a line of its own. */
export function wrapPieces(pieces: Piece[], columns: number, { first, rest }: Margins): string[] {
	const lines: string[] = [];
	let line = first;
	let isEmpty = true;
	for (const { gap, text } of pieces) {
		const isFull = !isEmpty && visibleWidth(line + gap + text) >= columns;
		if (isFull) lines.push(line);
		line = isFull ? rest + text : line + (isEmpty ? "" : gap) + text;
		isEmpty = false;
	}
	return [...lines, line].map((one) => one.trimEnd());
}
