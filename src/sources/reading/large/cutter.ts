/**
 * Cuts a body above the limit into parts below it: each part has as many records as fit, in order; a record that is too
 * large by itself is abridged. Memory is bounded, regardless of the length of the body.
 */
import { MAX_BATCH_EVENTS } from "../../../events/event.ts";
import { MAX_BODY_BYTES } from "../../../http/read-body.ts";
import { type Refusal, refuse } from "../../../http/refusal.ts";
import { Abridger, type Wanted } from "./abridger.ts";
import { ElementSplitter } from "./splitter.ts";

/** The maximum size of the records kept for one request, before it is verified. */
export const MAX_KEPT_BYTES = 16 * 1_048_576;

/** A part that is parsed like a separate body, within the usual limit. */
export interface Part {
	body: Uint8Array;
	/** The index of its first record in the whole body. */
	firstIndex: number;
	/** Whether the whole body is a list. */
	isList: boolean;
	/** Set if the part is one abridged record. */
	abridged?: AbridgedRecord;
}

export interface AbridgedRecord {
	/** The original size of the record, in bytes. */
	size: number;
	/** A hash of its identifying members, SHA-256 in hex. */
	hash: string;
}

const TOO_LARGE = refuse(
	413,
	"body_too_large",
	`The records of a request may have at most ${MAX_KEPT_BYTES} bytes in total. Send fewer per request.`,
);
const TOO_MANY = refuse(413, "too_many_events", `A request may contain at most ${MAX_BATCH_EVENTS} events.`);
const INVALID = refuse(400, "invalid_json", "The body is not valid JSON.");

export class BodyCutter {
	readonly #wanted: Wanted;
	readonly #splitter: ElementSplitter;
	readonly #parts: Part[] = [];
	/** Records of the current part. */
	#group: Uint8Array[] = [];
	#groupBytes = 0;
	#groupIndex = 0;
	/** The bytes of the current record, while it may still fit. */
	#record: Uint8Array[] = [];
	#recordBytes = 0;
	#abridger: Abridger | null = null;
	#count = 0;
	#outside = 0;
	#kept = 0;

	constructor(wanted: Wanted) {
		this.#wanted = wanted;
		this.#splitter = new ElementSplitter({
			bytes: (part) => this.#take(part),
			end: () => this.#endRecord(),
			outside: (count) => {
				this.#outside += count;
			},
		});
	}

	/** The number of bytes in memory. */
	get keptBytes(): number {
		return this.#kept;
	}

	/** Processes a chunk. Refuses with 413 as soon as the body is too large. */
	write(chunk: Uint8Array): Refusal | null {
		this.#splitter.write(chunk);
		if (this.#kept > MAX_KEPT_BYTES || this.#outside > MAX_BODY_BYTES) return TOO_LARGE;
		return this.#count > MAX_BATCH_EVENTS ? TOO_MANY : null;
	}

	/** Returns the parts. Refuses with 400 `invalid_json` if the body is incomplete. */
	end(): { ok: true; parts: Part[] } | Refusal {
		if (!this.#splitter.end()) return INVALID;
		this.#endGroup();
		return { ok: true, parts: this.#parts };
	}

	get #isList(): boolean {
		return this.#splitter.isList === true;
	}

	#take(part: Uint8Array): void {
		this.#recordBytes += part.byteLength;
		if (this.#abridger === null && this.#recordBytes > MAX_BODY_BYTES) {
			this.#abridger = new Abridger(this.#wanted);
			for (const former of this.#record) {
				this.#abridger.write(former);
				this.#kept -= former.byteLength;
			}
			this.#record = [];
		}
		if (this.#abridger !== null) {
			this.#abridger.write(part);
			return;
		}
		// A copy, so that the larger chunk can be freed.
		this.#record.push(new Uint8Array(part));
		this.#kept += part.byteLength;
	}

	#endRecord(): void {
		this.#count++;
		if (this.#abridger !== null) {
			this.#endGroup();
			const { text, hash } = this.#abridger.end();
			const abridged = { size: this.#recordBytes, hash };
			this.#parts.push({
				body: Buffer.from(text),
				firstIndex: this.#count - 1,
				isList: this.#isList,
				abridged,
			});
			this.#kept += text.length;
			this.#abridger = null;
		} else {
			// Two brackets, and a comma before each record except the first.
			if (this.#groupBytes + this.#recordBytes + 2 > MAX_BODY_BYTES) this.#endGroup();
			if (this.#group.length === 0) this.#groupIndex = this.#count - 1;
			this.#group.push(Buffer.concat(this.#record));
			this.#groupBytes += this.#recordBytes + 1;
		}
		this.#record = [];
		this.#recordBytes = 0;
	}

	#endGroup(): void {
		if (this.#group.length === 0) return;
		const isList = this.#isList;
		const pieces = this.#group.flatMap((record) => [COMMA, record]).slice(1);
		const body = Buffer.concat(isList ? [OPEN, ...pieces, CLOSE] : pieces);
		this.#parts.push({ body, firstIndex: this.#groupIndex, isList });
		this.#group = [];
		this.#groupBytes = 0;
	}
}

const OPEN = Buffer.from("[");
const CLOSE = Buffer.from("]");
const COMMA = Buffer.from(",");
