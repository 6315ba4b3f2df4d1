/** The input and the key of an HMAC: a template filled from a request. Pure. */
import { isExactHeader } from "../../events/cloudevents/header-value.ts";
import type { ContentPart } from "../../crypto/signed-content.ts";
import type { SECRET_ENCODINGS } from "../../store/resources/source-auth.ts";
import { type FormField, isForm, readFields } from "../reading/form.ts";

/** The parts of a request that a signature can cover. The method is always POST. */
export interface Signable {
	/** As requested, including the query. */
	url: string;
	headers: Headers;
	/** The raw body. */
	body: Uint8Array;
}

/** Returns null if the request lacks a covered header or form, so that no signature can be valid. */
export function signedBytes(
	content: readonly ContentPart[],
	timestamp: string,
	request: Signable,
): (string | Uint8Array)[] | null {
	const filled: (string | Uint8Array)[] = [];
	for (const part of content) {
		const bytes = "text" in part ? part.text : fill(part, timestamp, request);
		if (bytes === null) return null;
		filled.push(bytes);
	}
	return filled;
}

function fill(
	part: Exclude<ContentPart, { text: string }>,
	timestamp: string,
	{ url, headers, body }: Signable,
): string | Uint8Array | null {
	if ("header" in part) {
		const value = headers.get(part.header);
		return value !== null && isExactHeader(value) ? value : null;
	}
	switch (part.place) {
		case "method":
			return "POST";
		case "url":
			return url;
		case "timestamp":
			return timestamp;
		case "body":
			return body;
		case "form": {
			// A body that is not a form would not be covered at all.
			const form = isForm(headers) ? readFields(body) : null;
			return form?.ok === true ? sortedFields(form.fields) : null;
		}
	}
}

/** Joins fields like Twilio: sorted by name, each name followed by its value; exact duplicates count once. */
function sortedFields(fields: readonly FormField[]): string {
	return [...fields]
		.sort(([name, value], [otherName, otherValue]) => compare(name, otherName) || compare(value, otherValue))
		.filter(([name, value], index, sorted) => {
			const [formerName, formerValue] = sorted[index - 1] ?? [];
			return index === 0 || name !== formerName || value !== formerValue;
		})
		.map(([name, value]) => name + value)
		.join("");
}

function compare(one: string, other: string): number {
	if (one === other) return 0;
	return one < other ? -1 : 1;
}

const ENCODED = {
	base64: /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3}={0,2})?$/,
	hex: /^(?:[0-9A-Fa-f]{2})+$/,
} as const;

/** null when the secret is not text of that encoding, or no key at all. */
export function keyOf(
	secret: string,
	encoding: (typeof SECRET_ENCODINGS)[number],
): string | Uint8Array | null {
	if (secret === "") return null;
	if (encoding === "utf8") return secret;
	return ENCODED[encoding].test(secret) ? Buffer.from(secret, encoding) : null;
}
