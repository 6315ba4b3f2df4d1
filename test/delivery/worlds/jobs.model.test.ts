/**
 * Jobs whose server calls back early, late, twice or never, or is polled, by an object that is killed and evicted between
 * any two steps. Whatever happens, every delivery comes to its end, and what was confirmed stays.
 */
import fc from "fast-check";
import { afterEach, describe, test, vi } from "vitest";
import { type Answer, JobsWorld } from "./jobs.world.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

type Step =
	| { kind: "enqueue"; count: number }
	| { kind: "end"; pick: number; end: "succeeded" | "failed"; times: number }
	| { kind: "repeat"; pick: number }
	| { kind: "kill"; hand: number }
	| { kind: "evict" | "alarm" | "rest" }
	| { kind: "by hand"; what: "retry" | "cancel" | "repair"; pick: number }
	| { kind: "queue" | "writes"; doFail: boolean }
	| { kind: "pass" | "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({ kind: fc.constant("enqueue" as const), count: fc.integer({ min: 1, max: 9 }) }),
	},
	{
		weight: 6,
		arbitrary: fc.record({
			kind: fc.constant("end" as const),
			pick: fc.nat(),
			end: fc.constantFrom("succeeded" as const, "succeeded" as const, "failed" as const),
			times: fc.constantFrom(1, 1, 2),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat" as const), pick: fc.nat() }) },
	{
		weight: 2,
		// 0 is the dispatcher itself.
		arbitrary: fc.record({ kind: fc.constant("kill" as const), hand: fc.constantFrom(0, 0, 1) }),
	},
	{
		weight: 4,
		arbitrary: fc.record({ kind: fc.constantFrom("evict" as const, "alarm" as const, "rest" as const) }),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("by hand" as const),
			what: fc.constantFrom("retry" as const, "cancel" as const, "repair" as const),
			pick: fc.nat(),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constantFrom("queue" as const, "writes" as const),
			doFail: fc.boolean(),
		}),
	},
	{
		weight: 2,
		// To the next poll, to the next attempt, or past the deadline.
		arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(2_000, 70_000, 601_000) }),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(20) }) },
);

const answers: fc.Arbitrary<Answer[]> = fc.array(
	fc.record({
		status: fc.constantFrom(201, 201, 201, 201, 500, 503),
		afterMs: fc.oneof(fc.nat(3), fc.nat(30)),
		early: fc.constantFrom(null, null, null, 200, 500),
	}),
	{ minLength: 3, maxLength: 12 },
);

async function take(world: JobsWorld, step: Step): Promise<void> {
	switch (step.kind) {
		case "enqueue":
			return world.enqueue(step.count);
		case "end":
			return world.end(step.pick, step.end, step.times);
		case "repeat":
			return world.repeat(step.pick);
		case "kill":
			return world.kill(step.hand);
		case "evict":
			return world.evict();
		case "alarm":
			return world.runAlarm();
		case "rest":
			return world.rest();
		case "by hand":
			return world.byHand(step.what, step.pick);
		case "queue":
			world.isQueueDown = step.doFail;
			return undefined;
		case "writes":
			return world.writes(step.doFail);
		case "pass":
			world.passTime(step.ms);
			return world.runAlarm();
		case "wait":
			return new Promise((resolve) => setTimeout(resolve, step.ms));
	}
}

async function play(
	mode: "callback" | "poll",
	maxConcurrency: number,
	answers: readonly Answer[],
	steps: readonly Step[],
): Promise<void> {
	const world = await JobsWorld.create(mode, maxConcurrency);
	world.answer = (nth) => answers[nth % answers.length] ?? { status: 201, afterMs: 1, early: null };
	for (const one of steps) {
		await take(world, one);
		await world.checkSlots();
	}
	await world.check(await world.finish());
	vi.restoreAllMocks();
}

describe.each(["callback", "poll"] as const)("jobs, by %s", (mode) => {
	test("whenever something is lost or reported, every delivery ends, and confirmed outcomes stay", async () => {
		const scenario = fc.record({
			maxConcurrency: fc.integer({ min: 1, max: 9 }),
			steps: fc.array(step, { minLength: 4, maxLength: 16 }),
			answers,
		});
		await fc.assert(
			fc.asyncProperty(scenario, async ({ maxConcurrency, steps, answers }) => {
				await play(mode, maxConcurrency, answers, steps);
			}),
			{ numRuns: 16, endOnFailure: true, includeErrorInReport: true },
		);
	});
});
