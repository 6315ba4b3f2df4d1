/**
 * What publishers write, as CloudEvents attribute values. A value that cannot be one is left out: it costs the
 * event a name, never the event.
 */
import { isAttributeLength, isAttributeText, isTimestamp } from "../../events/cloudevents/attributes.ts";
import { isUriReference } from "../../events/cloudevents/uri.ts";

/** The last second of the year 9999, which RFC 3339 can still write. */
const MAX_SECONDS = 253_402_300_799;

/** Whether it can be an id, a type or a subject. */
export function isUsableText(text: string): boolean {
	return text !== "" && isAttributeLength(text) && isAttributeText(text);
}

export function usableText(value: unknown): string | undefined {
	return typeof value === "string" && isUsableText(value) ? value : undefined;
}

/** Whether it can be a `source`. */
export function isUsableUri(text: string): boolean {
	return isUsableText(text) && isUriReference(text);
}

/** A path for `source`, its segments encoded: `/slack/T061EG9RZ`. */
export function sourcePath(...segments: string[]): string {
	return segments.map((segment) => `/${encodeURIComponent(segment.toWellFormed())}`).join("");
}

/** RFC 3339 of seconds since the epoch, given as a number or digits, or of a text that is RFC 3339 already. */
export function timeFrom(value: unknown): string | undefined {
	if (typeof value === "string" && isTimestamp(value)) return value;
	const isDigits = typeof value === "string" && /^\d{1,12}$/.test(value);
	const seconds = isDigits ? Number(value) : value;
	if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= MAX_SECONDS)) return undefined;
	return new Date(seconds * 1000).toISOString();
}
