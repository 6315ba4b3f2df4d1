import { expect, test } from "vitest";
import { isFresh } from "../../src/crypto/freshness.ts";

const NOW = 1_614_265_330_999;
const at = (ageSeconds: number) => String(1_614_265_330 - ageSeconds);

test.each([
	[300, true],
	[301, false],
	[-300, true],
	[-301, false],
])("signed %i s ago", (age, expected) => {
	expect(isFresh(at(age), NOW)).toBe(expected);
});

test.each([
	[3600, true],
	[3601, false],
	[-300, true],
	// A longer past makes no longer future: a clock that is fast is wrong, whatever waits in a queue.
	[-301, false],
])("signed %i s ago, where an hour is allowed", (age, expected) => {
	expect(isFresh(at(age), NOW, 3600)).toBe(expected);
});

test.each(["", "-1", "1e9", "1614265330.5", "9999999999999"])("%j is no time", (timestamp) => {
	expect(isFresh(timestamp, NOW, 86_400)).toBe(false);
});
