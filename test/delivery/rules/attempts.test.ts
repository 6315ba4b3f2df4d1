import { describe, expect, test } from "vitest";
import {
	countAttempts,
	formerJob,
	jobIdOf,
	keepAttempts,
	nextNumber,
} from "../../../src/delivery/rules/attempts.ts";
import type { Attempt } from "../../../src/delivery/records.ts";
import { type DeliveryState, fresh } from "../../../src/delivery/rules/state.ts";

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

function waitingFor(attempt?: number): DeliveryState {
	const job = { handle: null, attempt, polls: 0, deadlineAt: 1 };
	return { phase: "waiting", dueAt: 1, spent: 0, job };
}

describe("the job before the present one", () => {
	test.each<[string, DeliveryState, Attempt["outcome"][], number]>([
		["none before the first attempt", fresh(0), [], 0],
		["none after attempts that began none", fresh(0), ["busy", "error"], 0],
		["the last that was begun", fresh(0), ["accepted", "accepted", "error"], 2],
		["none while the first runs", waitingFor(1), ["accepted"], 0],
		["the first while the second runs", waitingFor(2), ["accepted", "accepted"], 1],
		[
			"none while the first runs and the late outcome of another request is recorded",
			waitingFor(1),
			["accepted", "error"],
			0,
		],
		[
			"none while the first runs and another request has begun one too",
			waitingFor(1),
			["accepted", "accepted"],
			0,
		],
		["the first while the second runs, begun by an earlier build", waitingFor(), ["accepted", "accepted"], 1],
		["none while the first runs, begun by an earlier build", waitingFor(), ["accepted", "error"], 0],
	])("%s", (_, state, outcomes, expected) => {
		const attempts = outcomes.map((outcome, index) => ({ ...busy, outcome, number: index + 1 }));
		expect(formerJob({ state, attempts })).toBe(expected);
		expect(jobIdOf({ id: "dlv_1", state, attempts })).toBe(expected === 0 ? "dlv_1" : `dlv_1-${expected}`);
	});
});
