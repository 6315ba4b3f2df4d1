/**
 * Which headers an endpoint may be given: all except those that HTTP, Cloudflare or the router
 * controls.
 */

/** Limit for all custom headers of one endpoint together, names and values. */
export const MAX_HEADER_BYTES = 4_096;

/**
 * They frame or route the message, so only the sender may set them (RFC 9110, sections 7 and 8).
 */
const FRAMING = new Set([
	"host",
	"content-length",
	"transfer-encoding",
	"connection",
	"keep-alive",
	"proxy-connection",
	"te",
	"trailer",
	"upgrade",
	"expect",
]);
/**
 * Only the protocol describes the body, and the router does not compress request
 * bodies.
 */
const BODY = new Set(["content-encoding"]);
const OWNED_PREFIXES = ["webhook-", "cf-", "sluice-", "ce-"];
/**
 * A field name is a token; a value is visible ASCII, with spaces allowed inside (RFC 9110,
 * section 5).
 */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\x20-\x7e\t]*$/;

/** Returns why a request may not carry this header, or null if it may. */
export function refuseHeader(name: string, value: string): string | null {
	const lower = name.toLowerCase();
	if (!NAME.test(name)) return "is not a header name";
	if (FRAMING.has(lower)) return "is set by the HTTP client";
	if (BODY.has(lower)) return "says how the body is coded, and the router sends it as it is";
	const owned = OWNED_PREFIXES.find((prefix) => lower.startsWith(prefix));
	if (owned !== undefined) return `begins with ${owned}, which is not for endpoints to set`;
	if (value !== value.trim()) return "has a value that begins or ends with white space";
	if (!VALUE.test(value)) return "has a value with characters other than printable ASCII";
	return null;
}

/** Whether these headers together are small enough. */
export function headersFit(headers: Record<string, string>): boolean {
	const bytes = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
	return bytes <= MAX_HEADER_BYTES;
}
