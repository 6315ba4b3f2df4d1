/**
 * The part of a response body that the attempt log keeps: its beginning, if it is text that is safe
 * to show.
 */
import type { Body } from "../../rules/attempt.ts";
import { formsOf, maskText } from "../masking/mask.ts";

/** Characters kept. */
const EXCERPT_LENGTH = 500;
/**
 * The shortest credential that is masked here; text for people may lose a word that only looks like
 * one.
 */
const MIN_SECRET = 4;

const TEXT_TYPE =
	/^\s*(?:text\/|application\/(?:[^;]*\+)?(?:json|xml)\b|application\/x-www-form-urlencoded\b)/i;
/** Control characters, and marks that reorder text on a screen. */
const UNSHOWABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * The first 500 characters of a textual body, with control characters replaced by spaces; null for
 * a binary or empty body. `secrets` are the credentials that the request carried: a server that
 * echoes its request must not put them into a log.
 */
export function excerpt(
	response: { headers: Record<string, string> } & Body,
	secrets: readonly string[],
): string | null {
	const type = response.headers["content-type"];
	if (response.body.length === 0 || (type !== undefined && !TEXT_TYPE.test(type))) return null;
	const text = decode(response, type === undefined);
	return text === null ? null : showable(text, secrets);
}

/**
 * The first 500 characters of a server's text, safe to show. Credentials are masked before it is
 * cut.
 */
export function showable(text: string, secrets: readonly string[]): string {
	return cut(hideSecrets(text, secrets).replaceAll(UNSHOWABLE, " ")).trim();
}

/** The whole text, with credentials masked. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
	return maskText(text, formsOf(secrets, MIN_SECRET));
}

/**
 * `strict`: return null unless the bytes are UTF-8 without a NUL, for a body without a content
 * type.
 */
function decode({ body, failure }: Body, strict: boolean): string | null {
	try {
		// An incomplete body may end in the middle of a character.
		const stream = failure !== null;
		const text = new TextDecoder("utf-8", { fatal: strict, ignoreBOM: false }).decode(body, { stream });
		return strict && text.includes("\0") ? null : text;
	} catch {
		return null;
	}
}

/** Never cuts inside a surrogate pair. */
function cut(text: string): string {
	const cut = text.slice(0, EXCERPT_LENGTH);
	return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}
