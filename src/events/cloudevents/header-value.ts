/**
 * Attribute values as HTTP header values: percent-encoding, and its reverse (CloudEvents HTTP binding 1.0.2,
 * section 3.1.3.2).
 */

/** Space, `"`, `%` and everything outside U+0021 to U+007E is encoded, as UTF-8 in upper-case hex. */
export function encodeHeaderValue(value: string): string {
	// encodeURIComponent encodes each of these characters, and throws on lone surrogates.
	return value.toWellFormed().replace(/[^!-~]+|["%]/gu, encodeURIComponent);
}

/** What stands in a header for each byte that was no UTF-8. */
export const REPLACEMENT = "\uFFFD";

/**
 * Whether the header reads as it was sent. Latin-1, as some senders write it, has lost its letters by now: texts that
 * differ would read the same.
 */
export function isExactHeader(header: string): boolean {
	return !header.includes(REPLACEMENT);
}

/** Undoes double quotes with their backslashes, then one round of percent-encoding. null: it is not UTF-8. */
export function decodeHeaderValue(header: string): string | null {
	if (!isExactHeader(header)) return null;
	const quoted = /^"(.*)"$/s.exec(header)?.[1];
	const value = quoted === undefined ? header : quoted.replace(/\\(.)/gs, "$1");
	if (!value.includes("%")) return value;
	try {
		// A percent sign that opens no %XX stands for itself: senders that do not encode write it so.
		return value.replace(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
	} catch {
		return null;
	}
}
