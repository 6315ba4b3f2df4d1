/**
 * Points in time on the wire and inside: RFC 3339 text in the API, ms since the epoch in the code.
 */
import * as z from "zod";
import { isTimestamp } from "../../events/cloudevents/attributes.ts";

/** UTC, with milliseconds. */
export function formatTime(ms: number): string;
export function formatTime(ms: number | null): string | null;
export function formatTime(ms: number | null): string | null {
	return ms === null ? null : new Date(ms).toISOString();
}

/**
 * null if `text` is not an RFC 3339 time. An unencoded plus in a query string is read as a space.
 */
export function parseTime(text: string): number | null {
	const time = text.replace(/ (?=\d\d:\d\d$)/, "+");
	const ms = isTimestamp(time) ? Date.parse(time.toUpperCase()) : Number.NaN;
	return Number.isNaN(ms) ? null : ms;
}

/** A field that holds a time; its output is in ms. */
export const timeField = z.string().transform((text, context) => {
	const ms = parseTime(text);
	if (ms !== null) return ms;
	context.addIssue({
		code: "custom",
		message: 'write a time as RFC 3339 with its offset: "2026-11-01T09:30:00Z"',
	});
	return z.NEVER;
});
