/**
 * A body above the limit as parts below it: as many of its records as fit into one, in order, and each record that is
 * too large by itself abridged. Memory is bounded by what is kept, whatever the length of the body.
 */
import { MAX_BATCH_EVENTS } from "../../../events/event.ts";
import { MAX_BODY_BYTES } from "../../../http/read-body.ts";
import { type Refusal, refuse } from "../../../http/refusal.ts";
import { Abridger, type Wanted } from "./abridger.ts";
import { ElementSplitter } from "./splitter.ts";

/** Records that fit, of one request, before its sender is proven. */
export const MAX_KEPT_BYTES = 16 * 1_048_576;

/** A body that is read by itself, at most as large as any other. */
export interface Part {
	body: Uint8Array;
	/** Where its first record stands in the whole. */
	firstIndex: number;
	/** Whether the whole is a list. */
	isList: boolean;
	/** Set when the body is one record, abridged. */
	abridged?: AbridgedRecord;
}

export interface AbridgedRecord {
	/** Of the record as it came, in bytes. */
	size: number;
	/** Of what tells it from others, SHA-256 in hex. */
	hash: string;
}

const TOO_LARGE = refuse(
	413,
	"body_too_large",
	`The records of a request have at most ${MAX_KEPT_BYTES} bytes together: send fewer at once.`,
);
const TOO_MANY = refuse(413, "too_many_events", `A request holds at most ${MAX_BATCH_EVENTS} events.`);
const INVALID = refuse(400, "invalid_json", "The body is not valid JSON.");

export class BodyCutter {
	readonly #wanted: Wanted;
	readonly #splitter: ElementSplitter;
	readonly #parts: Part[] = [];
	/** Records that wait for more to share a part with. */
	#group: Uint8Array[] = [];
	#groupBytes = 0;
	#groupIndex = 0;
	/** Bytes of the record that is coming in, while it may still fit. */
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

	/** Bytes that are in memory for it. */
	get keptBytes(): number {
		return this.#kept;
	}

	/** Refuses with 413 as soon as the body is known to be too much. */
	write(chunk: Uint8Array): Refusal | null {
		this.#splitter.write(chunk);
		if (this.#kept > MAX_KEPT_BYTES || this.#outside > MAX_BODY_BYTES) return TOO_LARGE;
		return this.#count > MAX_BATCH_EVENTS ? TOO_MANY : null;
	}

	/** Refuses with 400 `invalid_json` what ends too early. */
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
		// A copy: chunks are larger than the records in them, and would be kept whole.
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
			// Two brackets, and a comma before all but the first.
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
