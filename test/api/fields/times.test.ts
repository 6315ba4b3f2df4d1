import { expect, test } from "vitest";
import { formatTime, parseTime } from "../../../src/api/fields/times.ts";

test.each([
	["2026-11-01T09:30:00Z", Date.UTC(2026, 10, 1, 9, 30)],
	["2026-11-01t09:30:00z", Date.UTC(2026, 10, 1, 9, 30)],
	["2026-11-01T09:30:00.250+02:00", Date.UTC(2026, 10, 1, 7, 30, 0, 250)],
	["2026-11-01T09:30:00.123456Z", Date.UTC(2026, 10, 1, 9, 30, 0, 123)],
	["2026-11-01T09:30:00+00:00", Date.UTC(2026, 10, 1, 9, 30)],
	["2026-11-01T09:30:00 00:00", Date.UTC(2026, 10, 1, 9, 30)],
	["2026-11-01T09:30:00.250 02:00", Date.UTC(2026, 10, 1, 7, 30, 0, 250)],
])("%s is a time", (text, ms) => {
	expect(parseTime(text)).toBe(ms);
});

test.each([
	"",
	"now",
	"2026-11-01",
	"2026-11-01T09:30:00",
	"2026-11-01 09:30:00Z",
	"2026-11-01 09:30",
	"2026-11-01T09:30:00 Z",
	"2026-11-01T09:30:00  02:00",
	"2026-11-01T09:30:00-00:00 00:00",
	"2026-13-01T00:00:00Z",
	"2026-02-30T00:00:00Z",
	"1793525400",
])("%j is not a time", (text) => {
	expect(parseTime(text)).toBeNull();
});

test("times are written in UTC", () => {
	expect(formatTime(0)).toBe("1970-01-01T00:00:00.000Z");
	expect(formatTime(null)).toBeNull();
});
