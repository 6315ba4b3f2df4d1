/**
 * How long an endpoint asks to be left alone: the `Retry-After` header, and the `retry-after-ms` of
 * OpenAI-compatible servers. Reading only; schedule.ts turns it into a delay.
 */
import { MAX_DELAY_MS } from "./schedule.ts";

/**
 * Milliseconds to wait from `now`, at most 24 h; 0 for a date that has passed; null when neither header is there
 * or readable. The finer `retry-after-ms` wins. Header names are in lower case, `now` in ms since the epoch.
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

function readNumber(value: string | undefined, unitMs: number): number | null {
	const digits = value?.trim();
	return digits !== undefined && /^\d+$/.test(digits) ? Number(digits) * unitMs : null;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;

/** RFC 9110, section 5.6.7. `Date.parse` reads the last one in local time, and takes much that is no date. */
const HTTP_DATES = [
	// Sun, 06 Nov 1994 08:49:37 GMT
	new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT$`),
	// Sunday, 06-Nov-94 08:49:37 GMT
	new RegExp(`^[A-Z][a-z]{5,8}, (?<day>\\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\\d{2}) ${TIME} GMT$`),
	// Sun Nov  6 08:49:37 1994
	new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[\\d ]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** Ms since the epoch, or null when `text` is none of the three forms or names a time that cannot be. */
function readHttpDate(text: string, now: number): number | null {
	for (const form of HTTP_DATES) {
		const parts = form.exec(text)?.groups;
		if (parts === undefined) continue;
		const number = (name: string): number => Number(parts[name]);
		const month = MONTHS.indexOf(parts["month"] ?? "");
		const [day, hour] = [number("day"), number("hour")];
		// A leap second counts as the second before it.
		const second = Math.min(number("second"), 59);
		const date = Date.UTC(fullYear(parts["year"] ?? "", now), month, day, hour, number("minute"), second);
		const read = new Date(date);
		// Date.UTC rolls 31 June over into July, and 25:00 into the next day.
		const rolled = read.getUTCMonth() !== month || read.getUTCDate() !== day || read.getUTCHours() !== hour;
		return rolled ? null : date;
	}
	return null;
}

/** RFC 9110: a two-digit year that seems more than 50 years ahead is the last past year with these digits. */
function fullYear(digits: string, now: number): number {
	if (digits.length === 4) return Number(digits);
	const thisYear = new Date(now).getUTCFullYear();
	const year = thisYear - (thisYear % 100) + Number(digits);
	return year > thisYear + 50 ? year - 100 : year;
}
