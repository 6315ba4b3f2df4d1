/**
 * Reads bodies above the limit, for kinds that accept them: verifies them while they arrive, and cuts them into parts
 * of up to the body limit. The memory for all of them is bounded, because an isolate has 128 MB.
 */
import { MAX_BODY_BYTES, bodyIncomplete, refuseEncoding } from "../http/read-body.ts";
import { type Refusal, refuse, refuseForNow } from "../http/refusal.ts";
import type { Wanted } from "../sources/reading/large/abridger.ts";
import { BodyCutter, MAX_KEPT_BYTES, type Part } from "../sources/reading/large/cutter.ts";
import type { StreamedVerification } from "../sources/proof/verify-stream.ts";

/** Cloudflare's request size limit for most accounts. */
const MAX_STREAMED_BYTES = 100 * 1_048_576;
/** For all requests of the isolate together. */
const MAX_KEPT_AT_ONCE = 2 * MAX_KEPT_BYTES;

/** How long a request may take to arrive, ms: unverified data uses memory. Debezium's timeout is the same. */
const MAX_READ_MS = 60_000;

const TOO_LONG = refuse(
	413,
	"body_too_large",
	`The body is too large. The limit is ${MAX_STREAMED_BYTES} bytes.`,
);

let keptAtOnce = 0;

/** The share of the memory limit that one request uses, from its first bytes until its events are in the queue. */
export class Room {
	#bytes = 0;

	/** `bytes`: the total that the request now keeps in memory. */
	take(bytes: number): void {
		keptAtOnce += bytes - this.#bytes;
		this.#bytes = bytes;
	}

	/** Must be called when the request ends, also after an error. */
	leave(): void {
		this.take(0);
	}
}

/** Returns whether the body is, or may be, above the limit: its length may be unknown. */
export function mayBeLarge({ headers }: Request): boolean {
	const declared = headers.get("content-length");
	return declared === null || Number(declared) > MAX_BODY_BYTES;
}

/**
 * Returns the verified parts of a body above the limit, or a smaller body unchanged and not yet verified. Refuses with
 * 413 `body_too_large` and `too_many_events`, 400 `invalid_json` and `body_incomplete`, 401, 415, 503 `too_busy` while
 * other requests use the memory, and 503 `too_slow` after a minute. The parts count as used until `room.leave()`.
 */
export async function readParts(
	request: Request,
	wanted: Wanted,
	verification: StreamedVerification,
	room: Room,
	maxReadMs = MAX_READ_MS,
): Promise<{ ok: true; parts: Part[] } | { ok: true; body: Uint8Array } | Refusal> {
	const encoded = refuseEncoding(request);
	if (encoded !== null) return encoded;
	let cutter: BodyCutter | null = new BodyCutter(wanted);
	let whole: Uint8Array[] | null = [];
	let length = 0;
	let refusal: Refusal | null = null;
	const endsAt = Date.now() + maxReadMs;
	try {
		for await (const chunk of chunksUntil(request.body, endsAt)) {
			if (chunk === null) return TOO_SLOW;
			length += chunk.byteLength;
			if (length > MAX_STREAMED_BYTES) return TOO_LONG;
			// Keep reading: if cut off, most senders would see a lost connection.
			if (cutter === null) continue;
			if (length > MAX_BODY_BYTES) whole = null;
			else whole?.push(chunk);
			verification.update(chunk);
			refusal = cutter.write(chunk);
			room.take(cutter.keptBytes);
			if (length > MAX_BODY_BYTES && keptAtOnce > MAX_KEPT_AT_ONCE) refusal ??= TOO_BUSY;
			if (refusal === null) continue;
			// Free the memory for other requests at once.
			room.leave();
			whole = null;
			cutter = null;
		}
	} catch (cause) {
		return bodyIncomplete(cause);
	}
	if (refusal !== null || cutter === null) return refusal ?? TOO_BUSY;
	if (whole !== null) return { ok: true, body: Buffer.concat(whole) };
	const verified = verification.end();
	return verified.ok ? cutter.end() : verified;
}

/** Yields the chunks of a body, then null if it did not end in time (ms since the epoch). */
async function* chunksUntil(
	body: ReadableStream<Uint8Array> | null,
	endsAt: number,
): AsyncGenerator<Uint8Array | null> {
	if (body === null) return;
	const reader = body.getReader();
	let isLate = false;
	const timer = setTimeout(() => {
		isLate = true;
		void reader.cancel("too slow").catch(() => {});
	}, endsAt - Date.now());
	try {
		for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
		if (isLate) yield null;
	} finally {
		clearTimeout(timer);
		// Cancels the stream when the consumer stops early. Does nothing after the end.
		await reader.cancel().catch(() => {});
	}
}

const TOO_SLOW = refuseForNow("too_slow", "The request took longer than a minute to arrive. Send it again.");

const TOO_BUSY = refuseForNow("too_busy", "Other large requests are being read. Send the request again.", {
	retryAfterSeconds: 1,
});
