/** URI references, the type of the CloudEvents attribute `source`: RFC 3986, with non-ASCII characters escaped. */

/** Unreserved characters, sub-delimiters and escapes (appendix A), which are allowed everywhere. */
const CHAR = String.raw`(?:[\w\-.~!$&'()*+,;=]|%[\da-f]{2})`;
const AUTHORITY = String.raw`(?:(?:${CHAR}|:)*@)?(?:\[[\da-f:.]+\]|${CHAR}*)(?::\d*)?(?=[/?#]|$)`;
const SCHEME = String.raw`[a-z][a-z\d+.-]*:`;
const QUERY = `(?:${CHAR}|[:@/?])*`;

const URI_REFERENCE = new RegExp(
	String.raw`^(?:${SCHEME}|(?![^/?#]*:))(?://${AUTHORITY}|(?!//))(?:${CHAR}|[:@/])*(?:\?${QUERY})?(?:#${QUERY})?$`,
	"i",
);

/** With a scheme or relative; not empty. */
export function isUriReference(text: string): boolean {
	return text !== "" && URI_REFERENCE.test(text);
}
