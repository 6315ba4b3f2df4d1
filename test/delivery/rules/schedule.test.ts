import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_DELAY_MS, busyDelay, nextAttemptDelay } from "../../../src/delivery/rules/schedule.ts";

const scheduleSeconds = [5, 300, 1800, 7200, 18000, 36000, 36000];
const asked = { retryAfterMs: null, random: 0.5 };

describe("the next attempt", () => {
	test.each(scheduleSeconds.map((seconds, index) => [index + 1, seconds] as const))(
		"after %i spent comes %i s later",
		(spent, seconds) => {
			expect(nextAttemptDelay({ ...asked, spent, scheduleSeconds })).toBe(seconds * 1000);
		},
	);

	test("does not come when the schedule is used up", () => {
		expect(nextAttemptDelay({ ...asked, spent: 8, scheduleSeconds })).toBeNull();
		expect(nextAttemptDelay({ ...asked, spent: 1, scheduleSeconds: [] })).toBeNull();
	});

	test("does not come when the schedule is used up, even if the endpoint says when to come back", () => {
		expect(nextAttemptDelay({ spent: 8, scheduleSeconds, retryAfterMs: 1_000, random: 0.5 })).toBeNull();
	});

	test.each([
		[0, 240_000],
		[0.25, 270_000],
		[0.75, 330_000],
		[1, 360_000],
	])("varies by a fifth of the step: %f gives %i ms", (random, delay) => {
		expect(nextAttemptDelay({ spent: 2, scheduleSeconds, retryAfterMs: null, random })).toBe(delay);
	});

	test.each([
		["a shorter Retry-After changes nothing", 1_000, 0.5, 300_000],
		["a longer one is waited for", 600_000, 0, 600_000],
		["a longer one varies upwards only", 600_000, 1, 720_000],
		["one that equals the step keeps the step from being early", 300_000, 0, 300_000],
		["one of a day is a day", MAX_DELAY_MS, 1, MAX_DELAY_MS],
	])("%s", (_, retryAfterMs, random, delay) => {
		expect(nextAttemptDelay({ spent: 2, scheduleSeconds, retryAfterMs, random })).toBe(delay);
	});

	test("of a step of 0 s is at once", () => {
		expect(nextAttemptDelay({ spent: 1, scheduleSeconds: [0], retryAfterMs: null, random: 1 })).toBe(0);
	});
});

describe("the wait for a busy endpoint", () => {
	test("doubles from a second to a minute", () => {
		const delays = [0, 1, 2, 3, 4, 5, 6, 7, 2_000].map((busyCount) => busyDelay({ ...asked, busyCount }));
		expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
	});

	test("varies by a fifth", () => {
		expect(busyDelay({ busyCount: 0, retryAfterMs: null, random: 0 })).toBe(800);
		expect(busyDelay({ busyCount: 0, retryAfterMs: null, random: 1 })).toBe(1_200);
	});

	test("is as long as the endpoint asks for", () => {
		expect(busyDelay({ busyCount: 0, retryAfterMs: 90_000, random: 0 })).toBe(90_000);
		expect(busyDelay({ busyCount: 6, retryAfterMs: 1_000, random: 0.5 })).toBe(60_000);
	});
});

test("no wait is earlier than asked for, longer than a day, or a fraction of a millisecond", () => {
	const random = fc.double({ min: 0, max: 1, noNaN: true });
	const retryAfterMs = fc.option(fc.nat(MAX_DELAY_MS));
	const step = fc.nat(200_000);
	fc.assert(
		fc.property(random, retryAfterMs, step, fc.nat(5_000), (random, retryAfterMs, step, busyCount) => {
			const delays = [
				nextAttemptDelay({ spent: 1, scheduleSeconds: [step], retryAfterMs, random }),
				busyDelay({ busyCount, retryAfterMs, random }),
			];
			for (const delay of delays) {
				expect(delay).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
				expect(delay).toBeLessThanOrEqual(MAX_DELAY_MS);
				expect(Number.isInteger(delay)).toBe(true);
			}
		}),
	);
});
