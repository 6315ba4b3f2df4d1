/** Finds where a JSON string ends that may go on for many chunks. */
import { BACKSLASH, QUOTE } from "./bytes.ts";

export class StringEnd {
	/** Whether the chunk before ended in a backslash that escapes the next byte. */
	#isEscaped = false;

	/** The position behind the closing quote, or -1 when the chunk ends before; `at` is inside of the string. */
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

/** Those that stand right before `end`, back to `from`. */
function countBackslashes(chunk: Uint8Array, from: number, end: number): number {
	let at = end;
	while (at > from && chunk[at - 1] === BACKSLASH) at--;
	return end - at;
}
