import { describe, expect, test } from "vitest";
import { readRetryAfter } from "../../../src/delivery/rules/retry-after.ts";

const now = Date.UTC(2026, 9, 31, 12, 0, 0);
const day = 24 * 60 * 60 * 1000;

describe("Retry-After", () => {
	test.each([
		["0", 0],
		["1", 1_000],
		["120", 120_000],
		[" 7 ", 7_000],
		["007", 7_000],
		["1.5", 1_500],
		["0.25", 250],
		["0.0001", 1],
		["120.0", 120_000],
		["86400", day],
	])("%j in seconds is a wait of %i ms", (value, wait) => {
		expect(readRetryAfter({ "retry-after": value }, now)).toBe(wait);
	});

	test.each(["86401", "99999999999999999999999", "Mon, 02 Nov 2026 00:00:00 GMT"])(
		"%j is cut to a day",
		(value) => {
			expect(readRetryAfter({ "retry-after": value }, now)).toBe(day);
		},
	);

	test.each([
		["IMF-fixdate", "Sat, 31 Oct 2026 12:00:30 GMT", 30_000],
		["RFC 850", "Saturday, 31-Oct-26 12:00:30 GMT", 30_000],
		["asctime", "Sat Oct 31 12:00:30 2026", 30_000],
		["asctime with a day of one digit", "Sun Nov  1 11:00:00 2026", 23 * 60 * 60 * 1000],
		["a leap second", "Sat, 31 Oct 2026 12:00:60 GMT", 59_000],
		["a day of one digit", "Sun, 1 Nov 2026 00:00:30 GMT", 12 * 60 * 60 * 1000 + 30_000],
		["RFC 850 with a day of one digit", "Sunday, 1-Nov-26 00:00:30 GMT", 12 * 60 * 60 * 1000 + 30_000],
		["RFC 850 with a whole year, as cookies have it", "Sat, 31-Oct-2026 12:00:30 GMT", 30_000],
		["asctime with one space", "Sun Nov 1 11:00:00 2026", 23 * 60 * 60 * 1000],
		["UTC", "Sat, 31 Oct 2026 12:00:30 UTC", 30_000],
		["UT", "Sat, 31 Oct 2026 12:00:30 UT", 30_000],
		["Z", "Sat, 31 Oct 2026 12:00:30 Z", 30_000],
		["+0000", "Sat, 31 Oct 2026 12:00:30 +0000", 30_000],
		["-0000", "Sat, 31 Oct 2026 12:00:30 -0000", 30_000],
		["time of another zone", "Sat, 31 Oct 2026 14:00:30 +0200", 30_000],
		["time west of here, on the day before", "Fri, 30 Oct 2026 23:30:30 -1230", 30_000],
		["time of a zone with a name", "Sat, 31 Oct 2026 05:00:30 PDT", 30_000],
		["other letters", "SAT, 31 OCT 2026 12:00:30 gmt", 30_000],
		["e-mail has it, without the day's name", "31 Oct 2026 12:00:30 GMT", 30_000],
		["e-mail has it, without seconds", "Sat, 31 Oct 2026 12:01 GMT", 60_000],
		["e-mail had it, with two digits", "Sat, 31 Oct 26 12:00:30 GMT", 30_000],
		["a wrong day's name", "Mon, 31 Oct 2026 12:00:30 GMT", 30_000],
	])("a date as %s is read: %s", (_, value, wait) => {
		expect(readRetryAfter({ "retry-after": value }, now)).toBe(wait);
	});

	test.each([
		"Sat, 31 Oct 2026 12:00:00 GMT",
		"Sat, 31 Oct 2026 11:59:59 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		// Two digits: 94 is the 1994 that lies behind us, not the 2094 that is 68 years ahead.
		"Sunday, 06-Nov-94 08:49:37 GMT",
	])("a date that has passed means now: %s", (value) => {
		expect(readRetryAfter({ "retry-after": value }, now)).toBe(0);
	});

	test("a two-digit year of at most 50 years ahead is in the future", () => {
		expect(readRetryAfter({ "retry-after": "Sunday, 01-Nov-76 00:00:00 GMT" }, now)).toBe(day);
	});

	test.each([
		"",
		"soon",
		"-1",
		"+5",
		"-1.5",
		".5",
		"1.",
		"1.5.5",
		"1,5",
		"1e3",
		"0x10",
		"٣",
		"10s",
		"120, 60",
		"Infinity",
		"2026-10-31T12:00:30Z",
		"Sat, 31 Oct 2026 12:00:30",
		"Sat, 31 Oct 2026 12:00:30 +02",
		"Sat, 31 Oct 2026 12:00:30 GMT+1",
		"Sat, 31 Oct 2026 12:00:30 GMT, Sun, 01 Nov 2026 12:00:30 GMT",
		"Sat, 31 Oct 202 12:00:30 GMT",
		"Sat, 031 Oct 2026 12:00:30 GMT",
		"Sat, 31 Oct 2026 12:00:30 CET",
		"Sat, 31 Okt 2026 12:00:30 GMT",
		"Sat, 31 Jun 2026 12:00:30 GMT",
		"Sat, 00 Nov 2026 12:00:30 GMT",
		"Sat, 31 Oct 2026 24:00:00 GMT",
		"Sat, 31 Oct 2026 12:60:00 GMT",
	])("%j is no wait that anybody asked for", (value) => {
		expect(readRetryAfter({ "retry-after": value }, now)).toBeNull();
	});
});

describe("retry-after-ms", () => {
	test("is finer, and wins", () => {
		expect(readRetryAfter({ "retry-after-ms": "250", "retry-after": "1" }, now)).toBe(250);
		expect(readRetryAfter({ "retry-after-ms": "250.4", "retry-after": "1" }, now)).toBe(251);
	});

	test("leaves the word to Retry-After when it is unreadable", () => {
		expect(readRetryAfter({ "retry-after-ms": "soon", "retry-after": "1" }, now)).toBe(1_000);
	});

	test("is cut to a day", () => {
		expect(readRetryAfter({ "retry-after-ms": String(day + 1) }, now)).toBe(day);
	});
});

test("without a header nothing was asked", () => {
	expect(readRetryAfter({ date: "Sat, 31 Oct 2026 12:00:30 GMT" }, now)).toBeNull();
});
