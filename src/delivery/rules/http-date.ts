/**
 * Dates in HTTP headers: the three forms of RFC 9110, section 5.6.7, and the e-mail dates that it
 * encourages recipients to accept (RFC 5322, section 3.3, and the older ones of 4.3). Pure.
 * `Date.parse` reads one of them in local time, and accepts many texts that are not dates.
 */

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** Hours ahead of UTC, by zone names from RFC 5322. */
const ZONES = new Map([
	["gmt", 0],
	["utc", 0],
	["ut", 0],
	["z", 0],
	["est", -5],
	["edt", -4],
	["cst", -6],
	["cdt", -5],
	["mst", -7],
	["mdt", -6],
	["pst", -8],
	["pdt", -7],
]);

const DAY = String.raw`(?<day>\d{1,2})`;
const MONTH = String.raw`(?<month>[a-z]{3})`;
const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2}))?`;
const ZONE = String.raw`(?<zone>[a-z]{1,3}|[+-]\d{4})`;

const FORMS = [
	// Sun, 06 Nov 1994 08:49:37 GMT; 6 Nov 94 08:49 +0000
	new RegExp(
		String.raw`^(?:[a-z]{3},\s*)?${DAY}\s+${MONTH}\s+(?<year>\d{2}|\d{4})\s+${TIME}\s+${ZONE}$`,
		"i",
	),
	// Sunday, 06-Nov-94 08:49:37 GMT
	new RegExp(String.raw`^(?:[a-z]{3,9},\s*)?${DAY}-${MONTH}-(?<year>\d{2}|\d{4})\s+${TIME}\s+${ZONE}$`, "i"),
	// Sun Nov  6 08:49:37 1994
	new RegExp(String.raw`^[a-z]{3}\s+${MONTH}\s+${DAY}\s+${TIME}\s+(?<year>\d{4})$`, "i"),
];

/**
 * Ms since the epoch, or null if `text` has none of the forms or names an impossible time. `now`
 * also in ms.
 */
export function readHttpDate(text: string, now: number): number | null {
	for (const form of FORMS) {
		const parts = form.exec(text)?.groups;
		if (parts !== undefined) return dateOf(parts, now);
	}
	return null;
}

function dateOf(parts: Record<string, string | undefined>, now: number): number | null {
	const number = (name: string): number => Number(parts[name] ?? 0);
	const offset = minutesAhead(parts["zone"] ?? "gmt");
	if (offset === null) return null;
	const month = MONTHS.indexOf((parts["month"] ?? "").toLowerCase());
	const [day, hour, minute] = [number("day"), number("hour"), number("minute")];
	// A leap second counts as the second before it.
	const second = Math.min(number("second"), 59);
	const date = Date.UTC(fullYear(parts["year"] ?? "", now), month, day, hour, minute, second);
	const read = new Date(date);
	// Date.UTC rolls 31 June over into July, and 25:00 into the next day.
	const rolled = read.getUTCMonth() !== month || read.getUTCDate() !== day || read.getUTCHours() !== hour;
	return rolled || Number.isNaN(date) ? null : date - offset * 60_000;
}

/** Minutes ahead of UTC, or null for an unknown zone. */
function minutesAhead(zone: string): number | null {
	if (!/^[+-]/.test(zone)) {
		const hours = ZONES.get(zone.toLowerCase());
		return hours === undefined ? null : hours * 60;
	}
	const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3));
	return zone.startsWith("-") ? -minutes : minutes;
}

/**
 * RFC 9110: a two-digit year that seems more than 50 years ahead is the last past year with these
 * digits.
 */
function fullYear(digits: string, now: number): number {
	if (digits.length === 4) return Number(digits);
	const thisYear = new Date(now).getUTCFullYear();
	const year = thisYear - (thisYear % 100) + Number(digits);
	return year > thisYear + 50 ? year - 100 : year;
}
