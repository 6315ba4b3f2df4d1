/**
 * Abridges a JSON object that is too large to parse: keeps selected members, and hashes those that identify it. Works
 * on the byte stream and keeps nothing else.
 */
import { type Hash, createHash } from "node:crypto";
import {
	CLOSE_BRACE,
	CLOSE_BRACKET,
	COLON,
	COMMA,
	OPEN_BRACE,
	OPEN_BRACKET,
	QUOTE,
	isSpace,
} from "./bytes.ts";
import { StringEnd } from "./string-end.ts";

/** What to do with a member, by its path of names. */
export interface Wanted {
	/** Whether to keep a scalar value. */
	keeps(path: readonly string[]): boolean;
	/** Whether to keep an object and process its members. */
	enters(path: readonly string[]): boolean;
	/** Whether to hash the text of the member, of any type. */
	hashes(path: readonly string[]): boolean;
}

/** The maximum depth of processed objects. */
const MAX_LEVELS = 4;
/** The maximum size of a kept name or value. */
const MAX_TOKEN_BYTES = 1_024;
/** The maximum total size of kept bytes. */
const MAX_KEPT_BYTES = 65_536;

export interface Abridged {
	/** JSON: the object with the kept members. */
	text: string;
	/** SHA-256 in hex. */
	hash: string;
}

export class Abridger {
	readonly #wanted: Wanted;
	readonly #hash: Hash = createHash("sha256");
	readonly #string = new StringEnd();
	readonly #out: string[] = [];
	#outBytes = 0;
	#inString = false;
	/** The number of open objects that are processed. */
	#level = 0;
	/** The number of open containers inside of those that are skipped. */
	#passed = 0;
	readonly #path: string[] = [];
	#isName = false;
	#needsComma = false;
	/** The current token. null: too long or not needed. */
	#token: Buffer[] | null = null;
	#tokenBytes = 0;
	/** The level of the member that is being hashed; 0: none. */
	#hashed = 0;

	constructor(wanted: Wanted) {
		this.#wanted = wanted;
	}

	write(chunk: Uint8Array): void {
		let at = 0;
		let hashedFrom = 0;
		while (at < chunk.length) {
			if (this.#inString) {
				const end = this.#string.find(chunk, at);
				this.#take(chunk, at, end === -1 ? chunk.length : end);
				at = end === -1 ? chunk.length : end;
				this.#inString = end === -1;
				continue;
			}
			if (this.#passed > 0) {
				at = this.#pass(chunk, at);
				continue;
			}
			const code = chunk[at] ?? 0;
			const wasHashed = this.#hashed;
			this.#step(code, chunk, at);
			if (wasHashed === 0 && this.#hashed !== 0) hashedFrom = at + 1;
			if (wasHashed !== 0 && this.#hashed === 0) this.#hash.update(chunk.subarray(hashedFrom, at));
			at++;
		}
		if (this.#hashed !== 0) this.#hash.update(chunk.subarray(hashedFrom));
	}

	end(): Abridged {
		// A value that is not an object has no members.
		return { text: this.#out.join("") || "{}", hash: this.#hash.digest("hex") };
	}

	/** Skips irrelevant bytes, which are most of a record. Returns the position after them. */
	#pass(chunk: Uint8Array, start: number): number {
		let at = start;
		while (at < chunk.length && this.#passed > 0 && !this.#inString) {
			const code = chunk[at++];
			if (code === QUOTE) this.#inString = true;
			else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#passed++;
			else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) this.#passed--;
		}
		return at;
	}

	#step(code: number, chunk: Uint8Array, at: number): void {
		const isClosing = code === CLOSE_BRACE || code === CLOSE_BRACKET;
		if (code === QUOTE) {
			this.#inString = true;
			if (this.#isName) this.#startToken();
			this.#take(chunk, at, at + 1);
		} else if (code === COLON && this.#isName) this.#beginValue();
		else if (code === COMMA) this.#endValue(true);
		else if (isClosing) {
			if (this.#level > 0) this.#close();
		} else if (code === OPEN_BRACE && this.#mayOpen()) this.#open();
		else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
			this.#passed = 1;
			this.#token = null;
		} else if (!isSpace(code)) this.#take(chunk, at, at + 1);
	}

	#startToken(): void {
		this.#token = [];
		this.#tokenBytes = 0;
	}

	#take(chunk: Uint8Array, start: number, end: number): void {
		if (this.#token === null || this.#passed > 0) return;
		this.#tokenBytes += end - start;
		// A copy, so that the chunk can be freed.
		if (this.#tokenBytes <= MAX_TOKEN_BYTES) this.#token.push(Buffer.from(chunk.subarray(start, end)));
		else this.#token = null;
	}

	#readToken(): string | null {
		const text = this.#token === null ? null : Buffer.concat(this.#token).toString();
		this.#token = null;
		return text === "" ? null : text;
	}

	#mayOpen(): boolean {
		if (this.#level === 0) return true;
		if (this.#level >= MAX_LEVELS || this.#outBytes >= MAX_KEPT_BYTES || this.#isName) return false;
		return this.#wanted.enters(this.#path);
	}

	#open(): void {
		if (this.#level > 0) this.#write(`${this.#lead()}{`);
		else this.#write("{");
		this.#level++;
		this.#needsComma = false;
		this.#isName = true;
		this.#token = null;
	}

	#beginValue(): void {
		this.#isName = false;
		// A name that is too long or not a string matches nothing.
		this.#path.length = Math.max(0, this.#level - 1);
		this.#path.push(nameOf(this.#readToken()));
		if (this.#wanted.keeps(this.#path)) this.#startToken();
		if (this.#hashed === 0 && this.#wanted.hashes(this.#path)) {
			this.#hashed = this.#level;
			this.#hash.update(`${JSON.stringify(this.#path.at(-1))}:`);
		}
	}

	/** `isMore`: whether another member follows. */
	#endValue(isMore: boolean): void {
		const text = this.#isName ? null : this.#readToken();
		if (text !== null && this.#outBytes < MAX_KEPT_BYTES) this.#write(`${this.#lead()}${text}`);
		if (this.#hashed === this.#level) this.#hashed = 0;
		this.#isName = isMore;
		this.#token = null;
	}

	#close(): void {
		this.#endValue(false);
		this.#write("}");
		this.#level--;
		this.#needsComma = true;
	}

	/** Returns the comma and the name before a value. */
	#lead(): string {
		const comma = this.#needsComma ? "," : "";
		this.#needsComma = true;
		return `${comma}${JSON.stringify(this.#path.at(this.#level - 1) ?? "")}:`;
	}

	#write(text: string): void {
		this.#out.push(text);
		this.#outBytes += text.length;
	}
}

function nameOf(quoted: string | null): string {
	try {
		const name: unknown = quoted === null ? "" : JSON.parse(quoted);
		return typeof name === "string" ? name : "";
	} catch {
		return "";
	}
}
