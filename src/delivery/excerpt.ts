/**
 * What the attempt log keeps of a response body: its beginning, when it is text that is safe to show.
 */

/** Characters kept. */
const EXCERPT_LENGTH = 500;
const HIDDEN = "***";

const TEXT_TYPE =
	/^\s*(?:text\/|application\/(?:[^;]*\+)?(?:json|xml)\b|application\/x-www-form-urlencoded\b)/i;
/** Controls, and the marks that reorder text on a screen. */
const UNSHOWABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * The first 500 characters of a textual body, control characters shown as spaces; null for a binary or empty body.
 * `secrets` are the credentials the request carried: a server that echoes its request must not put them in a log.
 */
export function excerpt(
	response: { headers: Record<string, string>; body: Uint8Array },
	secrets: readonly string[],
): string | null {
	const type = response.headers["content-type"];
	if (response.body.length === 0 || (type !== undefined && !TEXT_TYPE.test(type))) return null;
	const text = decode(response.body, type === undefined);
	if (text === null) return null;
	const masked = secrets.reduce(
		(masked, secret) => (secret === "" ? masked : masked.replaceAll(secret, HIDDEN)),
		text,
	);
	return cut(masked.replaceAll(UNSHOWABLE, " ")).trim();
}

/** `strict`: null unless the bytes are UTF-8 without a NUL, for a body that does not say what it is. */
function decode(bytes: Uint8Array, strict: boolean): string | null {
	try {
		const text = new TextDecoder("utf-8", { fatal: strict, ignoreBOM: false }).decode(bytes);
		return strict && text.includes("\0") ? null : text;
	} catch {
		return null;
	}
}

/** Cuts between characters, never inside a surrogate pair. */
function cut(text: string): string {
	const cut = text.slice(0, EXCERPT_LENGTH);
	return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}
