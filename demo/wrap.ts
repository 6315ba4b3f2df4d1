/** Word wrapping. Pure; texts may contain colours. */
import { stripVTControlCharacters } from "node:util";

export interface Margins {
	/** What the first line begins with. */
	first: string;
	/** What every further line begins with. */
	rest: string;
}

/** What is not broken, and the space before it where it does not begin a line. */
export interface Piece {
	gap: string;
	text: string;
}

/** How many columns the text takes on a terminal. */
export function visibleWidth(text: string): number {
	return stripVTControlCharacters(text).length;
}

/** The text in lines below `columns` wide, where its words are. A style that spans words ends up in margins, too. */
export function wrapWords(text: string, columns: number, margins: Margins): string[] {
	const words = [...text.matchAll(/( *)([^ ]+)/g)];
	return wrapPieces(
		words.map(([, gap = "", word = ""]) => ({ gap, text: word })),
		columns,
		margins,
	);
}

/** The pieces in lines below `columns` wide, where they are. One that is wider has a line of its own. */
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
