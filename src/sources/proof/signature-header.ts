/** The headers of an HMAC signature: reading signatures and their time out of them, and putting them there. Pure. */
import type { SignatureScheme } from "./signature-scheme.ts";

/** Tried in one header; no sender rotates through more. */
const MAX_SIGNATURES = 20;

/** Puts a signature, without its prefix, and its time where the scheme wants them. */
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

/** What the header has, prefixes included, and the time of signing where it stands; nothing is judged here. */
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

/** The header as a whole, since a prefix may have a space in it, and what stands between commas and spaces. */
function signaturesIn(value: string): string[] {
	const listed = value.split(/[\s,]+/, MAX_SIGNATURES).filter((text) => text !== "");
	return [...new Set([value, ...listed])];
}
