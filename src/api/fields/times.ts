/** Points in time as the API writes and reads them: RFC 3339 text outside, ms since the epoch inside. */
import * as z from "zod";
import { isTimestamp } from "../../events/cloudevents/attributes.ts";

/** UTC, with milliseconds. */
export function formatTime(ms: number): string;
export function formatTime(ms: number | null): string | null;
export function formatTime(ms: number | null): string | null {
	return ms === null ? null : new Date(ms).toISOString();
}

/** null when `text` is no RFC 3339 time. A plus that nobody encoded comes out of a query string as a space. */
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
