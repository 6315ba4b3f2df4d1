/**
 * Templates for the content that an HMAC signs, such as `{method}{url}{body}{timestamp}`: text with placeholders in
 * braces. Parsing only; sources/proof/signed-bytes.ts fills the placeholders from a request.
 */

/** `form`: the fields of a form sorted by name, each name followed by its value. */
const PLACES = ["method", "url", "timestamp", "body", "form"] as const;
type Place = (typeof PLACES)[number];

export type ContentPart = { text: string } | { place: Place } | { header: string };

export const MAX_TEMPLATE_LENGTH = 512;

/** RFC 9110, section 5.1. */
const HEADER_PLACE = /^header:([!#$%&'*+.^_`|~0-9A-Za-z-]{1,256})$/;
const TOKENS = /\{([^{}]*)\}|[^{}]+|[{}]/g;

export type ParsedTemplate = { ok: true; parts: readonly ContentPart[] } | { ok: false; message: string };

/** Parses a template. The message is for the person who wrote it. */
export function parseSignedContent(template: string): ParsedTemplate {
	if (template.length > MAX_TEMPLATE_LENGTH) {
		return { ok: false, message: `must have at most ${MAX_TEMPLATE_LENGTH} characters` };
	}
	const parts: ContentPart[] = [];
	for (const { 0: token, 1: name, index } of template.matchAll(TOKENS)) {
		const part = readToken(token, name);
		if (part === null) return { ok: false, message: `${describe(token, name)} (at character ${index + 1})` };
		parts.push(part);
	}
	return { ok: true, parts };
}

/** Parses a built-in template. Throws if it is invalid. */
export function signedContent(template: string): readonly ContentPart[] {
	const parsed = parseSignedContent(template);
	if (parsed.ok) return parsed.parts;
	throw new Error(`${template}: ${parsed.message}`);
}

/** Returns whether the template contains the placeholder. */
export function hasPlace(parts: readonly ContentPart[], place: Place): boolean {
	return parts.some((part) => "place" in part && part.place === place);
}

/** Returns the headers that the template covers, in lower case. */
export function headersOf(parts: readonly ContentPart[]): string[] {
	return parts.flatMap((part) => ("header" in part ? [part.header] : []));
}

function readToken(token: string, name: string | undefined): ContentPart | null {
	if (name === undefined) return token === "{" || token === "}" ? null : { text: token };
	const place = PLACES.find((known) => known === name);
	if (place !== undefined) return { place };
	const header = HEADER_PLACE.exec(name)?.[1];
	return header === undefined ? null : { header: header.toLowerCase() };
}

function describe(token: string, name: string | undefined): string {
	if (name === undefined) return `${token} has no matching brace`;
	return `${token} is unknown. Use ${PLACES.map((place) => `{${place}}`).join(", ")} or {header:NAME}`;
}
