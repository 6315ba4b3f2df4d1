/** The headers of an HMAC signature: reading and writing signatures and timestamps. Pure. */
import type { SignatureScheme } from "./signature-scheme.ts";

/** The maximum per header; no sender rotates more keys. */
const MAX_SIGNATURES = 20;

/** Writes a signature, given without prefix, and its timestamp to the headers of the scheme. */
export function writeSignature(
	{ header, prefix, timestamp, signatureKey }: SignatureScheme,
	timestampText: string,
	signature: string,
): Record<string, string> {
	const value = `${prefix}${signature}`;
	if (timestamp === null) return { [header]: value };
	if ("header" in timestamp) return { [timestamp.header]: timestampText, [header]: value };
	return { [header]: `${timestamp.listKey}=${timestampText},${signatureKey}=${value}` };
}

interface Signatures {
	timestamp: string | null;
	signatures: string[];
}

/** Returns the signatures in the header, with prefixes, and the timestamp if there is one. Does not verify them. */
export function readSignatures(
	{ header, timestamp, signatureKey }: SignatureScheme,
	headers: Headers,
): Signatures {
	const value = headers.get(header);
	if (value === null) return { timestamp: null, signatures: [] };
	if (timestamp === null) return { timestamp: null, signatures: signaturesIn(value) };
	if ("header" in timestamp) {
		return { timestamp: headers.get(timestamp.header), signatures: signaturesIn(value) };
	}
	const entries = value.split(",").map((entry): [key: string, value: string] => {
		const [key = "", ...rest] = entry.split("=");
		return [key.trim(), rest.join("=").trim()];
	});
	return {
		timestamp: entries.find(([key]) => key === timestamp.listKey)?.[1] ?? null,
		signatures: entries.filter(([key]) => key === signatureKey).map(([, signature]) => signature),
	};
}

/** Returns the whole header, because a prefix may contain a space, and the parts between commas and spaces. */
function signaturesIn(value: string): string[] {
	const listed = value.split(/[\s,]+/, MAX_SIGNATURES).filter((text) => text !== "");
	return [...new Set([value, ...listed])];
}
