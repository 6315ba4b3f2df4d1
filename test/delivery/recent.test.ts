import { describe, expect, test } from "vitest";
import type { Attempt } from "../../src/delivery/records.ts";
import { MAX_SAMPLES, percentile, RecentExchanges, WINDOW_MS } from "../../src/delivery/recent.ts";

const NOW = 10_000_000;

function attempt(endedAgoMs: number, durationMs: number, more: Partial<Attempt> = {}): Attempt {
	const at = NOW - endedAgoMs - durationMs;
	const ended = { statusCode: 200, outcome: "done", error: null, excerpt: null } as const;
	return { number: 1, at, durationMs, ...ended, ...more };
}

const none = () => [];

describe("a percentile, by nearest rank", () => {
	const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
	test.each([
		[[], 50, null],
		[[7], 50, 7],
		[[7], 99, 7],
		[[1, 2], 50, 1],
		[[1, 2], 95, 2],
		[[1, 2, 3], 50, 2],
		[hundred, 50, 50],
		[hundred, 95, 95],
		[hundred, 99, 99],
		[[...hundred, 101], 99, 100],
	])("of %j, %i %%: %j", (values, percent, expected) => {
		expect(percentile(values, percent)).toBe(expected);
	});
});

describe("the latest exchanges", () => {
	test("nothing has happened", () => {
		expect(new RecentExchanges(0).summarise(NOW, none)).toEqual({
			p50: null,
			p95: null,
			p99: null,
			samples: 0,
			windowSeconds: 0,
			outcomes: { done: 0, accepted: 0, busy: 0, error: 0, bad_input: 0, unauthorized: 0, quota: 0, gone: 0 },
		});
	});

	test("are counted by what they ended as; what never got there has no duration", () => {
		const recent = new RecentExchanges(0);
		recent.note(attempt(3_000, 100));
		recent.note(attempt(2_000, 300, { statusCode: 429, outcome: "busy" }));
		recent.note(
			attempt(1_500, 30_000, { statusCode: null, outcome: "error", error: "timeout: No response" }),
		);
		recent.note(attempt(1_000, 0, { statusCode: null, outcome: "error", error: "blocked_url: no" }));
		recent.note(attempt(500, 2, { statusCode: null, outcome: "busy", error: "connection_lost: gone" }));
		expect(recent.summarise(NOW, none)).toMatchObject({
			p50: 300,
			p99: 30_000,
			samples: 3,
			windowSeconds: 32,
			outcomes: { done: 1, busy: 2, error: 2, gone: 0 },
		});
	});

	test("are forgotten after an hour", () => {
		const recent = new RecentExchanges(0);
		recent.note(attempt(WINDOW_MS, 5));
		recent.note(attempt(WINDOW_MS - 1, 10));
		expect(recent.summarise(NOW, none)).toMatchObject({ p50: 10, samples: 1, windowSeconds: 3_601 });
		expect(recent.summarise(NOW + 1, none)).toMatchObject({ p50: null, samples: 0, windowSeconds: 0 });
	});

	test(`are ${MAX_SAMPLES} at the most, and the oldest go first`, () => {
		const recent = new RecentExchanges(0);
		for (let index = 0; index < 10; index++) recent.note(attempt(1_000, 9_999));
		for (let index = 0; index < MAX_SAMPLES; index++) recent.note(attempt(500, 7));
		expect(recent.summarise(NOW, none)).toMatchObject({ p50: 7, p99: 7, samples: MAX_SAMPLES });
	});
});

describe("exchanges recorded before the object woke", () => {
	const bornAt = NOW - 1_000;

	test("begins the list, is asked for once, and known attempts are not counted twice", () => {
		const recent = new RecentExchanges(bornAt);
		const own = attempt(500, 20);
		recent.note(own);
		let asked = 0;
		const former = () => {
			asked += 1;
			return [own, attempt(2_000, 10)];
		};
		expect(recent.summarise(NOW, former)).toMatchObject({ p50: 10, p99: 20, samples: 2 });
		expect(recent.summarise(NOW, former)).toMatchObject({ samples: 2 });
		expect(asked).toBe(1);
	});

	test.each([0, 1, MAX_SAMPLES - 1, MAX_SAMPLES, MAX_SAMPLES + 3])(
		"gives way to what comes, with %i exchanges of its own before",
		(own) => {
			const recent = new RecentExchanges(bornAt);
			for (let index = 0; index < own; index++) recent.note(attempt(500, 20));
			const former = Array.from({ length: MAX_SAMPLES }, () => attempt(2_000, 10, { outcome: "error" }));
			const kept = Math.min(own, MAX_SAMPLES);
			expect(recent.summarise(NOW, () => former).outcomes).toMatchObject({
				done: kept,
				error: MAX_SAMPLES - kept,
			});
			for (let index = 0; index < MAX_SAMPLES - 1; index++)
				recent.note(attempt(100, 30, { outcome: "busy" }));
			// The one that is left is the newest of those before.
			const last = own === 0 ? { done: 0, error: 1 } : { done: 1, error: 0 };
			expect(recent.summarise(NOW, none).outcomes).toMatchObject({ ...last, busy: MAX_SAMPLES - 1 });
			recent.note(attempt(50, 30, { outcome: "busy" }));
			expect(recent.summarise(NOW, none).outcomes).toMatchObject({ done: 0, error: 0, busy: MAX_SAMPLES });
		},
	);
});
