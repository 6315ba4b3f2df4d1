/** Finds the end of a JSON string that may span many chunks. */
import { BACKSLASH, QUOTE } from "./bytes.ts";

export class StringEnd {
	/** Whether the previous chunk ended with a backslash that escapes the next byte. */
	#isEscaped = false;

	/** Returns the position after the closing quote, or -1 if the chunk ends first. `at` is inside the string. */
	find(chunk: Uint8Array, at: number): number {
		let from = at;
		if (this.#isEscaped && from < chunk.length) {
			this.#isEscaped = false;
			from++;
		}
		let quote = chunk.indexOf(QUOTE, from);
		while (quote !== -1) {
			if (countBackslashes(chunk, from, quote) % 2 === 0) return quote + 1;
			from = quote + 1;
			quote = chunk.indexOf(QUOTE, from);
		}
		this.#isEscaped = countBackslashes(chunk, from, chunk.length) % 2 === 1;
		return -1;
	}
}

/** Counts the backslashes directly before `end`, down to `from`. */
function countBackslashes(chunk: Uint8Array, from: number, end: number): number {
	let at = end;
	while (at > from && chunk[at - 1] === BACKSLASH) at--;
	return end - at;
}
