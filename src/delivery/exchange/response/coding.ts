/**
 * Content codings of responses (RFC 9110, section 8.4.1): decodes gzip, deflate and br, also in
 * combination, and never returns a body that is still coded. The runtime decodes only two of their
 * spellings, fails on an empty coded body and passes everything else through, so it is told not to
 * decode. zstd is not supported: the runtime's decoder drops everything after the first frame.
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import type { Body, BodyError } from "../../rules/attempt.ts";

/** Two occur when a proxy compresses a body that is already compressed. */
const MAX_CODINGS = 2;
/**
 * How much longer than its decoded content a coded body may be: servers that flush after each word
 * send more than they save.
 */
const MAX_EXPANSION = 3;

/**
 * The codings of a body in the order in which they were applied, in lower case; empty if there are
 * none.
 */
export function codingsOf(contentEncoding: string | null): string[] {
	const names = (contentEncoding ?? "").split(",").map((name) => name.trim().toLowerCase());
	return names.filter((name) => name !== "" && name !== "identity");
}

/** How many coded bytes to read at most if the body may have `maxBytes`. */
export function maxCodedBytes(codings: readonly string[], maxBytes: number): number {
	return codings.length === 0 ? maxBytes : maxBytes * MAX_EXPANSION;
}

/** Decodes a body. One without bytes is empty, whatever its codings. */
export function decode(bytes: Uint8Array<ArrayBuffer>, codings: readonly string[], maxBytes: number): Body {
	const unknown = codings.filter((coding) => decoderOf(coding) === undefined);
	if (bytes.length === 0) return { body: bytes, failure: null };
	if (unknown.length > 0 || codings.length > MAX_CODINGS) {
		const known = "The router decodes gzip, deflate and br, at most two of them.";
		return failed("undecodable", `The response is coded as ${codings.join(", ")}. ${known}`);
	}
	let body = bytes;
	for (const [index, coding] of [...codings].reverse().entries()) {
		if (body.length === 0) break;
		const isLast = index === codings.length - 1;
		try {
			const maxOutputLength = isLast ? maxBytes : maxBytes * MAX_EXPANSION;
			body = new Uint8Array(decoderOf(coding)?.(body, { maxOutputLength }) ?? body);
		} catch (error) {
			return failedDecoding(error, coding, maxBytes);
		}
	}
	return { body, failure: null };
}

type Decoder = typeof gunzipSync;

function decoderOf(coding: string): Decoder | undefined {
	switch (coding) {
		case "gzip":
		// RFC 9110, section 8.4.1.3: a recipient treats `x-gzip` and `gzip` as equal.
		case "x-gzip":
			return gunzipSync;
		case "deflate":
			return (bytes, options) =>
				hasZlibHeader(bytes as Uint8Array) ? inflateSync(bytes, options) : inflateRawSync(bytes, options);
		case "br":
			return brotliDecompressSync;
		default:
			return undefined;
	}
}

/** RFC 9110, section 8.4.1.2: some servers omit the zlib wrapper. The check follows RFC 1950. */
function hasZlibHeader([first = 0, second = 0]: Uint8Array): boolean {
	return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}

function failedDecoding(error: unknown, coding: string, maxBytes: number): Body {
	// Decoders throw a RangeError only if the output exceeds the limit.
	if (error instanceof RangeError) return failed("too_large", tooLarge(null, maxBytes));
	const said = error instanceof Error ? error.message : String(error);
	return /unexpected end of file/i.test(said)
		? failed("cut_off", `The response broke off before its end: its ${coding} is not complete.`)
		: failed("undecodable", `The response claims to be coded as ${coding} but is not: ${said}.`);
}

/** The message for a body above the limit; `bytes` is null if its length is unknown. */
export function tooLarge(bytes: number | null, maxBytes: number): string {
	const size = bytes === null ? `more than ${maxBytes} bytes` : `${bytes} bytes`;
	return `The response has ${size}; at most ${maxBytes} are read.`;
}

function failed(error: BodyError, message: string): Body {
	return { body: new Uint8Array(), failure: { error, message } };
}
