import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../src/delivery/attempt.ts";
import { type Capacity, adaptCapacity, fullCapacity, inFlightLimit } from "../../src/delivery/capacity.ts";

/** The capacity after requests that each started under the limit of their time. */
function after(outcomes: readonly Outcome[], max: number, from: Capacity = fullCapacity): Capacity {
	return outcomes.reduce(
		(capacity, outcome) => adaptCapacity(capacity, { outcome, generation: capacity.generation }, max),
		from,
	);
}

function times(count: number, outcome: Outcome): Outcome[] {
	return Array.from({ length: count }, () => outcome);
}

test("begins at the endpoint's maximum and stays there while all goes well", () => {
	expect(inFlightLimit(fullCapacity, 6)).toBe(6);
	expect(inFlightLimit(after(times(100, "done"), 6), 6)).toBe(6);
});

describe("busy", () => {
	test.each([
		[1, 4],
		[2, 2],
		[3, 1],
		[10, 1],
	])("%i times in a row leaves %i of 8", (count, limit) => {
		expect(inFlightLimit(after(times(count, "busy"), 8), 8)).toBe(limit);
	});

	test("halves an odd limit downwards", () => {
		expect(inFlightLimit(after(["busy"], 5), 5)).toBe(2);
	});

	test("counts once for all requests that were under way together", () => {
		const burst = Array.from({ length: 20 }, () => ({ outcome: "busy" as const, generation: 0 }));
		const capacity = burst.reduce((capacity, ended) => adaptCapacity(capacity, ended, 20), fullCapacity);
		expect(inFlightLimit(capacity, 20)).toBe(10);
	});

	test("counts again for a request that started after the cut", () => {
		const cut = after(["busy"], 20);
		expect(inFlightLimit(adaptCapacity(cut, { outcome: "busy", generation: cut.generation }, 20), 20)).toBe(
			5,
		);
	});
});

describe("success after a cut", () => {
	const cut = after(["busy"], 8);

	test("raises the limit by one for each run as long as the limit", () => {
		expect(inFlightLimit(after(times(3, "done"), 8, cut), 8)).toBe(4);
		expect(inFlightLimit(after(times(4, "done"), 8, cut), 8)).toBe(5);
		expect(inFlightLimit(after(times(4 + 5, "done"), 8, cut), 8)).toBe(6);
	});

	test("leads back to the maximum and no further", () => {
		expect(inFlightLimit(after(times(1_000, "done"), 8, cut), 8)).toBe(8);
		expect(after(times(1_000, "done"), 8, cut).limit).toBeNull();
	});

	test("of a request from before the cut proves nothing", () => {
		const late = { outcome: "done" as const, generation: 0 };
		expect(times(100, "done").reduce((capacity) => adaptCapacity(capacity, late, 8), cut)).toEqual(cut);
	});

	test("starts over when an error comes between", () => {
		expect(inFlightLimit(after(["done", "done", "done", "error", "done"], 8, cut), 8)).toBe(4);
	});

	test.each<Outcome>(["bad_input", "unauthorized", "quota", "gone"])(
		"is not interrupted by %s",
		(outcome) => {
			expect(inFlightLimit(after(["done", "done", outcome, "done", "done"], 8, cut), 8)).toBe(5);
		},
	);
});

describe("a new maximum", () => {
	test("takes effect at once where nothing was cut", () => {
		expect(inFlightLimit(fullCapacity, 60)).toBe(60);
	});

	test("below the adapted limit takes effect at once", () => {
		const cut = after(["busy"], 60);
		expect(inFlightLimit(cut, 2)).toBe(2);
		expect(inFlightLimit(after(times(2, "done"), 2, cut), 2)).toBe(2);
	});

	test("above the adapted limit is grown into", () => {
		expect(inFlightLimit(after(times(3, "done"), 60, after(["busy"], 6)), 60)).toBe(4);
	});
});

test("survives being stored", () => {
	const cut = after(["busy", "done"], 8);
	expect(JSON.parse(JSON.stringify(cut))).toEqual(cut);
});

test("the limit is always a whole number from 1 to the maximum", () => {
	const outcome = fc.constantFrom<Outcome>("done", "busy", "error", "bad_input", "gone");
	const ended = fc.record({ outcome, age: fc.nat(2), max: fc.integer({ min: 1, max: 20 }) });
	fc.assert(
		fc.property(fc.array(ended, { maxLength: 200 }), (history) => {
			let capacity = fullCapacity;
			for (const { outcome, age, max } of history) {
				capacity = adaptCapacity(capacity, { outcome, generation: capacity.generation - age }, max);
				const limit = inFlightLimit(capacity, max);
				expect(Number.isInteger(limit) && limit >= 1 && limit <= max).toBe(true);
			}
		}),
	);
});
