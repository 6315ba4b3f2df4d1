/**
 * How long an endpoint asks the router to wait: the `Retry-After` header, and the `retry-after-ms`
 * of OpenAI-compatible servers. Only reads; schedule.ts turns the value into a delay.
 */
import { readHttpDate } from "./http-date.ts";
import { MAX_DELAY_MS } from "./schedule.ts";

/**
 * Milliseconds to wait from `now`, at most 24 h; 0 for a date that has passed; null if neither
 * header is present and readable. The finer `retry-after-ms` wins. Header names are in lower case,
 * `now` in ms since the epoch.
 */
export function readRetryAfter(headers: Record<string, string>, now: number): number | null {
	const wait = readNumber(headers["retry-after-ms"], 1) ?? readSeconds(headers["retry-after"], now);
	return wait === null ? null : Math.min(wait, MAX_DELAY_MS);
}

/** RFC 9110, section 10.2.3: digits are seconds, everything else is a date. */
function readSeconds(value: string | undefined, now: number): number | null {
	const wait = readNumber(value, 1000);
	if (wait !== null || value === undefined) return wait;
	const date = readHttpDate(value.trim(), now);
	return date === null ? null : Math.max(0, date - now);
}

/** HTTP allows whole seconds only, but some servers send fractions, which are accepted. */
function readNumber(value: string | undefined, unitMs: number): number | null {
	const number = value?.trim();
	return number !== undefined && /^\d+(?:\.\d+)?$/.test(number) ? Math.ceil(Number(number) * unitMs) : null;
}
