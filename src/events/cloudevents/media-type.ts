/** Content types: what they are, and which of them hold JSON or text. */

export interface MediaType {
	/** `type/subtype` in lower case, without parameters; "" when there is none. */
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

/** Registered media types have a tenth of this length; parameters may add to it. */
const MAX_LENGTH = 1_024;

/** Whether it is `type/subtype` in printable ASCII and of bounded length, so that it can be sent on as a header. */
export function isMediaType(contentType: string): boolean {
	return contentType.length <= MAX_LENGTH && /^[!-~]+\/[ -~]+$/.test(contentType);
}

/** JSON as CloudEvents 1.0 means it: a subtype that is `json` or ends in `+json` (JSON format, section 3.1). */
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

/** Types that are text by definition; their bytes are UTF-8 unless `charset` says otherwise. */
export function isText({ essence }: MediaType): boolean {
	return essence.startsWith("text/") || essence.endsWith("+xml") || TEXT_TYPES.has(essence);
}

/** US-ASCII counts: every ASCII text is UTF-8. */
const UTF8 = new Set<string | null>([null, "utf-8", "utf8", "us-ascii", "ascii"]);

/**
 * Whether `body` under this label is UTF-8, as far as the label goes. Senders that know no better call ASCII by the
 * name of their own code page, which means the same bytes; any other byte would be another letter there.
 */
export function isUtf8({ charset }: MediaType, body: Uint8Array): boolean {
	return UTF8.has(charset) || (isLatin(charset) && body.every((byte) => byte < 0x80));
}

/** Whether the label names an encoding with one byte for each character whose lower half is ASCII. */
export function isLatin(charset: string | null): boolean {
	return charset !== null && /^(?:iso[-_]?8859[-_]\d{1,2}|latin-?\d|(?:windows-|cp)125\d)$/.test(charset);
}

function normalize(text: string): string {
	return text.trim().toLowerCase();
}
