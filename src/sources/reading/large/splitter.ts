/**
 * Finds the elements of a JSON list, or a single value, in a byte stream. Keeps and parses nothing. This works on bytes
 * because JSON syntax is ASCII, and no byte of a multi-byte UTF-8 sequence is.
 */
import {
	BACKSLASH,
	CLOSE_BRACE,
	CLOSE_BRACKET,
	COMMA,
	OPEN_BRACE,
	OPEN_BRACKET,
	QUOTE,
	isSpace,
} from "./bytes.ts";
import { StringEnd } from "./string-end.ts";

export interface ElementSink {
	/** The next bytes of the current element. */
	bytes(part: Uint8Array): void;
	/** The element is complete. */
	end(): void;
	/** Bytes outside of elements: white space, commas, the brackets of the list. */
	outside(count: number): void;
}

/** A byte order mark, which is skipped. */
const MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);

export class ElementSplitter {
	readonly #sink: ElementSink;
	readonly #string = new StringEnd();
	#inString = false;
	#depth = 0;
	#isList: boolean | null = null;
	#inElement = false;
	/** Whether an element must follow, after a comma. */
	#isDue = false;
	#isDone = false;
	#isBroken = false;

	constructor(sink: ElementSink) {
		this.#sink = sink;
	}

	/** null until the first relevant byte. */
	get isList(): boolean | null {
		return this.#isList;
	}

	write(chunk: Uint8Array): void {
		let start = 0;
		let at = 0;
		while (at < chunk.length && !this.#isBroken) {
			if (this.#inString) {
				const end = this.#string.find(chunk, at);
				this.#inString = end === -1;
				at = end === -1 ? chunk.length : end;
				continue;
			}
			const code = chunk[at] ?? 0;
			if (!this.#inElement) {
				if (!this.#begins(code)) {
					this.#sink.outside(1);
					at++;
					continue;
				}
				this.#inElement = true;
				start = at;
			} else if (this.#isList === true && this.#depth === 1 && (code === COMMA || code === CLOSE_BRACKET)) {
				this.#sink.bytes(chunk.subarray(start, at));
				this.#endElement();
				continue;
			}
			at++;
			this.#step(code);
			if (this.#isList === false && this.#depth === 0 && code === CLOSE_BRACE) {
				this.#sink.bytes(chunk.subarray(start, at));
				this.#endElement();
				this.#isDone = true;
			}
		}
		if (this.#inElement) this.#sink.bytes(chunk.subarray(start));
	}

	/** Returns whether the input was complete, judged by brackets, quotes and commas. */
	end(): boolean {
		if (this.#isBroken || this.#inString) return false;
		if (this.#isList === false && this.#inElement && this.#depth === 0) {
			this.#endElement();
			return true;
		}
		return this.#isDone;
	}

	/** Returns whether an element begins with `code`, a byte between elements. */
	#begins(code: number): boolean {
		if (isSpace(code)) return false;
		if (this.#isDone) return this.#break();
		if (this.#isList === null) {
			if (MARK.has(code)) return false;
			this.#isList = code === OPEN_BRACKET;
			if (!this.#isList) return true;
			this.#depth = 1;
			return false;
		}
		if (code === COMMA) {
			if (this.#isDue || !this.#hasElement) return this.#break();
			this.#isDue = true;
			return false;
		}
		if (code === CLOSE_BRACKET) {
			if (this.#isDue) return this.#break();
			this.#isDone = true;
			return false;
		}
		if (this.#hasElement && !this.#isDue) return this.#break();
		return true;
	}

	#hasElement = false;

	#endElement(): void {
		this.#sink.end();
		this.#inElement = false;
		this.#hasElement = true;
		this.#isDue = false;
	}

	#step(code: number): void {
		if (code === QUOTE) this.#inString = true;
		else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth++;
		else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) this.#depth--;
		else if (code === BACKSLASH) this.#break();
		if (this.#depth < (this.#isList === true ? 1 : 0)) this.#break();
	}

	#break(): boolean {
		this.#isBroken = true;
		return false;
	}
}
