/**
 * Converts publishers' values to CloudEvents attribute values. An invalid value is dropped; the event is kept without
 * the attribute.
 */
import { isAttributeLength, isAttributeText, isTimestamp } from "../../events/cloudevents/attributes.ts";
import { isUriReference } from "../../events/cloudevents/uri.ts";

/** The last second of the year 9999, the maximum of RFC 3339. */
const MAX_SECONDS = 253_402_300_799;

/** Returns whether the text can be an id, a type or a subject. */
export function isUsableText(text: string): boolean {
	return text !== "" && isAttributeLength(text) && isAttributeText(text);
}

export function usableText(value: unknown): string | undefined {
	return typeof value === "string" && isUsableText(value) ? value : undefined;
}

/** Returns whether the text can be a `source`. */
export function isUsableUri(text: string): boolean {
	return isUsableText(text) && isUriReference(text);
}

/** Returns a path for `source` with encoded segments: `/slack/T061EG9RZ`. */
export function sourcePath(...segments: string[]): string {
	return segments.map((segment) => `/${encodeURIComponent(segment.toWellFormed())}`).join("");
}

/** Returns RFC 3339 for seconds since the epoch, as a number or digits, or for a text that is RFC 3339 already. */
export function timeFrom(value: unknown): string | undefined {
	if (typeof value === "string" && isTimestamp(value)) return value;
	const isDigits = typeof value === "string" && /^\d{1,12}$/.test(value);
	const seconds = isDigits ? Number(value) : value;
	if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= MAX_SECONDS)) return undefined;
	return new Date(seconds * 1000).toISOString();
}
