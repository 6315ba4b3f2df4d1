/** Reads a whole request body, but never keeps more than the limit in memory. */
import { type Refusal, refuse } from "./refusal.ts";

/** The maximum size of a request body: 1 MB (2^20 bytes). */
export const MAX_BODY_BYTES = 1_048_576;
/** The largest body that a provider sends: GitHub's 25 MB. Longer bodies are cut off. */
const MAX_HEARD_BYTES = 25 * 1_048_576;

export const BODY_TOO_LARGE = refuse(
	413,
	"body_too_large",
	`The body is too large. The limit is ${MAX_BODY_BYTES} bytes.`,
);

export const UNSUPPORTED_ENCODING = refuse(
	415,
	"unsupported_content_encoding",
	"Send the body without compression.",
);

/** Reads the body. Refuses with 413 `body_too_large`, 415 `unsupported_content_encoding` or 400 `body_incomplete`. */
export async function readBody(request: Request): Promise<{ ok: true; body: Uint8Array } | Refusal> {
	return refuseEncoding(request) ?? readBodyAsSent(request);
}

/** As `readBody`, but a compressed body is read too, and stays compressed. */
export async function readBodyAsSent(
	request: Request,
): Promise<{ ok: true; body: Uint8Array<ArrayBuffer> } | Refusal> {
	const declared = request.headers.get("content-length");
	if (Number(declared) > MAX_BODY_BYTES) return BODY_TOO_LARGE;
	try {
		// HTTP enforces a declared length; the second check is for requests that did not come over HTTP.
		// Creating the stream costs as much as the rest of the read, so it is created only when needed.
		const body =
			declared === null ? await collect(request.body) : new Uint8Array(await request.arrayBuffer());
		return body === null || body.byteLength > MAX_BODY_BYTES ? BODY_TOO_LARGE : { ok: true, body };
	} catch (cause) {
		return bodyIncomplete(cause);
	}
}

/** Bodies are not decompressed: a small request could become a huge one, and signatures cover the bytes as sent. */
export function refuseEncoding(request: Request): Refusal | null {
	const encoding = request.headers.get("content-encoding");
	if (encoding === null || encoding.toLowerCase() === "identity") return null;
	return UNSUPPORTED_ENCODING;
}

export function bodyIncomplete(cause: unknown): Refusal {
	return { ...refuse(400, "body_incomplete", "The connection closed before the body was complete."), cause };
}

/** Returns null if the body exceeds the limit. */
async function collect(stream: ReadableStream<Uint8Array> | null): Promise<Uint8Array<ArrayBuffer> | null> {
	if (stream === null) return new Uint8Array();
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of stream) {
		length += chunk.byteLength;
		if (length <= MAX_BODY_BYTES) chunks.push(chunk);
		// Keep reading: if cut off midway, most senders would see a lost connection instead of the response.
		else if (length > MAX_HEARD_BYTES) break;
	}
	return length > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}
