/** Reads a request's body whole, but never keeps more of it than its limit. */
import { Problem } from "./problem.ts";

/** What is kept of a request: 1 MB (2^20 bytes). */
export const MAX_BODY_BYTES = 1_048_576;
/** The most that a provider sends: 25 MB of GitHub. Who sends more without end is cut off. */
const MAX_HEARD_BYTES = 25 * 1_048_576;

/** Throws `Problem`: 413 `body_too_large`, 415 `unsupported_content_encoding`, 400 `body_incomplete`. */
export async function readBody(request: Request): Promise<Uint8Array> {
	const encoding = request.headers.get("content-encoding");
	if (encoding !== null && encoding.toLowerCase() !== "identity") {
		// Unpacking would let a small request become a huge one, and signatures cover the bytes as sent.
		throw new Problem(415, "unsupported_content_encoding", "Send the body without compression.");
	}
	const declared = request.headers.get("content-length");
	if (Number(declared) > MAX_BODY_BYTES) throw tooLarge();
	try {
		// A declared length is kept by HTTP itself; the check behind it is for requests that were never on a wire.
		// Asking for the stream costs as much as all the rest of reading does, so it is asked for only when needed.
		const body =
			declared === null ? await collect(request.body) : new Uint8Array(await request.arrayBuffer());
		if (body.byteLength > MAX_BODY_BYTES) throw tooLarge();
		return body;
	} catch (error) {
		if (error instanceof Problem) throw error;
		throw new Problem(400, "body_incomplete", "The connection ended before the body did.", { cause: error });
	}
}

async function collect(stream: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
	if (stream === null) return new Uint8Array();
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of stream) {
		length += chunk.byteLength;
		if (length <= MAX_BODY_BYTES) chunks.push(chunk);
		// Cut off in the middle, most senders would see a lost connection instead of the answer.
		else if (length > MAX_HEARD_BYTES) break;
	}
	if (length > MAX_BODY_BYTES) throw tooLarge();
	return Buffer.concat(chunks);
}

function tooLarge(): Problem {
	return new Problem(413, "body_too_large", `A request has at most ${MAX_BODY_BYTES} bytes.`);
}
