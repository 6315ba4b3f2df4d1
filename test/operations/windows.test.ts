import { describe, expect, test } from "vitest";
import { happened, type Told, WINDOW_MS, windowEnd, Windows } from "../../src/operations/windows.ts";

const NOW = 6_000 * WINDOW_MS;

describe("repeated occurrences", () => {
	test.each<[string, Told | undefined, number, { told: Told; suppressed: number | null }]>([
		["the first time: told", undefined, NOW, { told: { window: 6_000, suppressed: 0 }, suppressed: 0 }],
		[
			"in the window it was told in: counted",
			{ window: 6_000, suppressed: 0 },
			NOW + WINDOW_MS - 1,
			{ told: { window: 6_000, suppressed: 1 }, suppressed: null },
		],
		[
			"and counted",
			{ window: 6_000, suppressed: 41 },
			NOW,
			{ told: { window: 6_000, suppressed: 42 }, suppressed: null },
		],
		[
			"in the next window: told, with the count",
			{ window: 6_000, suppressed: 42 },
			NOW + WINDOW_MS,
			{ told: { window: 6_001, suppressed: 0 }, suppressed: 42 },
		],
		[
			"much later: the same",
			{ window: 17, suppressed: 1 },
			NOW,
			{ told: { window: 6_000, suppressed: 0 }, suppressed: 1 },
		],
		[
			"with a clock that went back: told",
			{ window: 6_001, suppressed: 0 },
			NOW,
			{ told: { window: 6_000, suppressed: 0 }, suppressed: 0 },
		],
	])("%s", (_, told, now, expected) => {
		expect(happened(told, now)).toEqual(expected);
	});

	test("a window ends where the next one begins", () => {
		expect(windowEnd(NOW)).toBe(NOW + WINDOW_MS);
		expect(windowEnd(NOW + WINDOW_MS - 1)).toBe(NOW + WINDOW_MS);
	});
});

describe("windows by key", () => {
	test("count each for itself", () => {
		const windows = new Windows();
		expect(windows.happened("a", NOW)).toBe(0);
		expect(windows.happened("b", NOW)).toBe(0);
		expect(windows.happened("a", NOW)).toBeNull();
		expect(windows.happened("a", NOW + WINDOW_MS)).toBe(1);
	});

	test("are limited: the one reported the longest time ago is evicted", () => {
		const windows = new Windows();
		windows.happened("first", NOW);
		windows.happened("second", NOW);
		for (let n = 0; n < 999; n++) windows.happened(`other ${n}`, NOW);
		expect(windows.happened("second", NOW)).toBeNull();
		expect(windows.happened("first", NOW)).toBe(0);
	});
});
