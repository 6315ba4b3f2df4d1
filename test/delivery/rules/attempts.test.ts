import { expect, test } from "vitest";
import { countAttempts, keepAttempts, nextNumber } from "../../../src/delivery/rules/attempts.ts";
import type { Attempt } from "../../../src/delivery/records.ts";

const busy: Omit<Attempt, "number"> = {
	at: 0,
	durationMs: 1,
	statusCode: 503,
	outcome: "busy",
	error: null,
	excerpt: null,
};

test("attempts are counted on when the middle of them is not kept", () => {
	let attempts: Attempt[] = [];
	for (let count = 0; count < 500; count++) {
		attempts = keepAttempts([...attempts, { ...busy, number: nextNumber(attempts) }]);
	}
	expect(attempts).toHaveLength(100);
	expect(attempts.map(({ number }) => number).slice(18, 22)).toEqual([19, 20, 421, 422]);
	expect(countAttempts(attempts)).toBe(500);
});

test("before the first there are none", () => {
	expect(countAttempts([])).toBe(0);
	expect(nextNumber([])).toBe(1);
});
