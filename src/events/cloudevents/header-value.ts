/**
 * Encodes attribute values as HTTP header values by percent-encoding, and decodes them (CloudEvents HTTP binding 1.0.2,
 * section 3.1.3.2).
 */

/** Encodes space, `"`, `%` and everything outside U+0021 to U+007E as UTF-8 in upper-case hex. */
export function encodeHeaderValue(value: string): string {
	// encodeURIComponent encodes each of these characters, and throws on lone surrogates.
	return value.toWellFormed().replace(/[^!-~]+|["%]/gu, encodeURIComponent);
}

/** The runtime's replacement for each byte of a header that was not UTF-8. */
export const REPLACEMENT = "\uFFFD";

/**
 * Returns whether the header is as sent. Latin-1 headers of some senders have lost characters at this point, so
 * different texts could look the same.
 */
export function isExactHeader(header: string): boolean {
	return !header.includes(REPLACEMENT);
}

/** Removes double quotes and backslash escapes, then decodes percent-encoding once. Returns null if it is not UTF-8. */
export function decodeHeaderValue(header: string): string | null {
	if (!isExactHeader(header)) return null;
	const quoted = /^"(.*)"$/s.exec(header)?.[1];
	const value = quoted === undefined ? header : quoted.replace(/\\(.)/gs, "$1");
	if (!value.includes("%")) return value;
	try {
		// A percent sign that is not part of %XX is literal: some senders do not encode.
		return value.replace(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
	} catch {
		return null;
	}
}
