/**
 * Bodies above the limit, for kinds that take them: verified as they come in, and cut into parts that are each as
 * large as a body may be. What is kept of all of them together is bounded, since an isolate has 128 MB.
 */
import { MAX_BODY_BYTES, bodyIncomplete, refuseEncoding } from "../http/read-body.ts";
import { type Refusal, refuse, refuseForNow } from "../http/refusal.ts";
import type { Wanted } from "../sources/reading/large/abridger.ts";
import { BodyCutter, MAX_KEPT_BYTES, type Part } from "../sources/reading/large/cutter.ts";
import type { StreamedVerification } from "../sources/proof/verify-stream.ts";

/** What Cloudflare lets through to most accounts. */
const MAX_STREAMED_BYTES = 100 * 1_048_576;
/** Of all requests of the isolate. */
const MAX_KEPT_AT_ONCE = 2 * MAX_KEPT_BYTES;

/** How long a request may take to come, ms: what nobody has proved yet takes up room. Debezium gives up after as long. */
const MAX_READ_MS = 60_000;

const TOO_LONG = refuse(413, "body_too_large", `A request has at most ${MAX_STREAMED_BYTES} bytes.`);

let keptAtOnce = 0;

/** What one request takes up of the room for all, from its first bytes until its events are in the queue. */
export class Room {
	#bytes = 0;

	/** `bytes`: all that the request keeps now. */
	take(bytes: number): void {
		keptAtOnce += bytes - this.#bytes;
		this.#bytes = bytes;
	}

	/** To be called however the request ends. */
	leave(): void {
		this.take(0);
	}
}

/** Whether the body is above the limit, or may be: its length is not told. */
export function mayBeLarge({ headers }: Request): boolean {
	const declared = headers.get("content-length");
	return declared === null || Number(declared) > MAX_BODY_BYTES;
}

/**
 * The parts of a body above the limit, or one that is below as it came, which is not verified yet. Refuses with 413
 * `body_too_large` and `too_many_events`, 400 `invalid_json` and `body_incomplete`, 401, 415, and with 503 `too_busy` while
 * others take up the room and `too_slow` after a minute. The parts stay counted until `room` is left.
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
			// The rest is heard all the same: cut off, most senders would see a lost connection.
			if (cutter === null) continue;
			if (length > MAX_BODY_BYTES) whole = null;
			else whole?.push(chunk);
			verification.update(chunk);
			refusal = cutter.write(chunk);
			room.take(cutter.keptBytes);
			if (length > MAX_BODY_BYTES && keptAtOnce > MAX_KEPT_AT_ONCE) refusal ??= TOO_BUSY;
			if (refusal === null) continue;
			// Its room is for the others at once.
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

/** The chunks of a body; null as the last one when it has not ended in time (ms since the epoch). */
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
		// Whoever stops reading hears no more of it; after the end this does nothing.
		await reader.cancel().catch(() => {});
	}
}

const TOO_SLOW = refuseForNow("too_slow", "The request took longer than a minute to come. Send it again.");

const TOO_BUSY = refuseForNow("too_busy", "Other large requests are being read. Send the request again.", {
	retryAfterSeconds: 1,
});
