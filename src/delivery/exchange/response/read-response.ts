/**
 * Reads and decodes the body of a response, up to the limit. Never throws; a partial body is kept,
 * because outside 2xx it says what was wrong.
 */
import type { Body, BodyError } from "../../rules/attempt.ts";
import { codingsOf, decode, maxCodedBytes, tooLarge } from "./coding.ts";
import { describeReadError } from "../carriers/network-error.ts";

export interface ReadOptions {
	maxBytes: number;
	/** Aborted when the deadline has passed; `timeoutMs` is for the message. */
	deadline: AbortSignal;
	timeoutMs: number;
}

/** After a failure the caller aborts the exchange, because more bytes may follow. */
export async function readResponse(response: Response, options: ReadOptions): Promise<Body> {
	const { maxBytes } = options;
	if (response.body === null) return { body: new Uint8Array(), failure: null };
	const codings = codingsOf(response.headers.get("content-encoding"));
	const declared = codings.length === 0 ? declaredLength(response) : null;
	// The beginning is enough, and waiting for more could use up the deadline.
	const isDeclaredTooLarge = declared !== null && declared > maxBytes;
	const limit = isDeclaredTooLarge ? 0 : maxCodedBytes(codings, maxBytes);
	const { bytes, end } = await readUpTo(response.body, limit);
	if (isDeclaredTooLarge || end === "limit") {
		return broken(bytes, codings, "too_large", tooLarge(declared, maxBytes));
	}
	if (end === "complete") return decode(bytes, codings, maxBytes);
	if (options.deadline.aborted) {
		const message = `The response was not complete within ${options.timeoutMs / 1000} s.`;
		return broken(bytes, codings, "timeout", message);
	}
	const { error, message } = describeReadError(end.thrown);
	return broken(bytes, codings, error, message);
}

/** Part of a coded body cannot be decoded. */
function broken(
	bytes: Uint8Array<ArrayBuffer>,
	codings: readonly string[],
	error: BodyError,
	message: string,
): Body {
	return { body: codings.length === 0 ? bytes : new Uint8Array(), failure: { error, message } };
}

function declaredLength(response: Response): number | null {
	const length = response.headers.get("content-length");
	return length !== null && /^\d+$/.test(length) ? Number(length) : null;
}

interface Read {
	bytes: Uint8Array<ArrayBuffer>;
	/** limit: the body has more bytes than are allowed. */
	end: "complete" | "limit" | { thrown: unknown };
}

async function readUpTo(stream: ReadableStream<Uint8Array>, limit: number): Promise<Read> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	let end: Read["end"] = "complete";
	try {
		for await (const chunk of stream) {
			size += chunk.byteLength;
			chunks.push(chunk);
			if (size > limit) {
				end = "limit";
				break;
			}
		}
	} catch (thrown) {
		end = { thrown };
	}
	const bytes = new Uint8Array(size);
	let offset = 0;
	for (const chunk of chunks) {
		bytes.set(chunk, offset);
		offset += chunk.byteLength;
	}
	return { bytes, end };
}
