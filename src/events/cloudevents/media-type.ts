/** Content types: parsing, and which ones are JSON or text. */

export interface MediaType {
	/** `type/subtype` in lower case, without parameters; "" if there is none. */
	essence: string;
	/** The `charset` parameter in lower case. */
	charset: string | null;
}

export function parseMediaType(contentType: string | null): MediaType {
	const [essence = "", ...parameters] = (contentType ?? "").split(";");
	for (const parameter of parameters) {
		const [name, value = ""] = parameter.split("=");
		if (name?.trim().toLowerCase() !== "charset") continue;
		return { essence: normalize(essence), charset: normalize(value).replaceAll('"', "") };
	}
	return { essence: normalize(essence), charset: null };
}

/** Ten times the length of registered media types, to leave room for parameters. */
const MAX_LENGTH = 1_024;

/**
 * Returns whether it is `type/subtype` in printable ASCII and of bounded length, so that it can be sent as a header.
 */
export function isMediaType(contentType: string): boolean {
	return contentType.length <= MAX_LENGTH && /^[!-~]+\/[ -~]+$/.test(contentType);
}

/** JSON as CloudEvents 1.0 defines it: the subtype is `json` or ends with `+json` (JSON format, section 3.1). */
export function isJson({ essence }: MediaType): boolean {
	return essence.endsWith("/json") || essence.endsWith("+json");
}

const TEXT_TYPES = new Set([
	"application/xml",
	"application/yaml",
	"application/javascript",
	"application/x-ndjson",
	"application/x-www-form-urlencoded",
]);

/** Types that are text by definition, in UTF-8 unless `charset` says otherwise. */
export function isText({ essence }: MediaType): boolean {
	return essence.startsWith("text/") || essence.endsWith("+xml") || TEXT_TYPES.has(essence);
}

/** US-ASCII counts: every ASCII text is UTF-8. */
const UTF8 = new Set<string | null>([null, "utf-8", "utf8", "us-ascii", "ascii"]);

/**
 * Returns whether `body` can be read as UTF-8 according to its charset. Some senders label ASCII with the name of their
 * own code page, which is the same bytes; non-ASCII bytes would be other letters.
 */
export function isUtf8({ charset }: MediaType, body: Uint8Array): boolean {
	return UTF8.has(charset) || (isLatin(charset) && body.every((byte) => byte < 0x80));
}

/** Returns whether the charset is a single-byte encoding whose lower half is ASCII. */
export function isLatin(charset: string | null): boolean {
	return charset !== null && /^(?:iso[-_]?8859[-_]\d{1,2}|latin-?\d|(?:windows-|cp)125\d)$/.test(charset);
}

function normalize(text: string): string {
	return text.trim().toLowerCase();
}
