/** Reads a request's body whole, but never keeps more of it than its limit. */
import { type Refusal, refuse } from "./refusal.ts";

/** What is kept of a request: 1 MB (2^20 bytes). */
export const MAX_BODY_BYTES = 1_048_576;
/** The most that a provider sends: 25 MB of GitHub. Who sends more without end is cut off. */
const MAX_HEARD_BYTES = 25 * 1_048_576;

const TOO_LARGE = refuse(413, "body_too_large", `A request has at most ${MAX_BODY_BYTES} bytes.`);

/** Refuses with 413 `body_too_large`, 415 `unsupported_content_encoding` or 400 `body_incomplete`. */
export async function readBody(request: Request): Promise<{ ok: true; body: Uint8Array } | Refusal> {
	const encoded = refuseEncoding(request);
	if (encoded !== null) return encoded;
	const declared = request.headers.get("content-length");
	if (Number(declared) > MAX_BODY_BYTES) return TOO_LARGE;
	try {
		// A declared length is kept by HTTP itself; the check behind it is for requests that were never on a wire.
		// Asking for the stream costs as much as all the rest of reading does, so it is asked for only when needed.
		const body =
			declared === null ? await collect(request.body) : new Uint8Array(await request.arrayBuffer());
		return body === null || body.byteLength > MAX_BODY_BYTES ? TOO_LARGE : { ok: true, body };
	} catch (cause) {
		return bodyIncomplete(cause);
	}
}

/** Unpacking would let a small request become a huge one, and signatures cover the bytes as sent. */
export function refuseEncoding(request: Request): Refusal | null {
	const encoding = request.headers.get("content-encoding");
	if (encoding === null || encoding.toLowerCase() === "identity") return null;
	return refuse(415, "unsupported_content_encoding", "Send the body without compression.");
}

export function bodyIncomplete(cause: unknown): Refusal {
	return { ...refuse(400, "body_incomplete", "The connection ended before the body did."), cause };
}

/** null when there is more than is kept. */
async function collect(stream: ReadableStream<Uint8Array> | null): Promise<Uint8Array | null> {
	if (stream === null) return new Uint8Array();
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of stream) {
		length += chunk.byteLength;
		if (length <= MAX_BODY_BYTES) chunks.push(chunk);
		// Cut off in the middle, most senders would see a lost connection instead of the response.
		else if (length > MAX_HEARD_BYTES) break;
	}
	return length > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}
