/**
 * A whole dispatcher with its hands at work, killed and evicted between any two steps. Whatever happens, every delivery
 * comes to its end; and only what was under way at a crash is asked of the model twice.
 */
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { type Answer, World } from "./dispatcher.world.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

type Step =
	| { kind: "enqueue"; count: number }
	| { kind: "kill" | "evict"; hand: number }
	| { kind: "alarm" }
	| { kind: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({ kind: fc.constant("enqueue" as const), count: fc.integer({ min: 1, max: 12 }) }),
	},
	{
		weight: 3,
		// 0 is the dispatcher itself.
		arbitrary: fc.record({
			kind: fc.constantFrom("kill" as const, "evict" as const),
			hand: fc.constantFrom(0, 0, 1, 2),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("alarm" as const) }) },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(30) }) },
);

const answer: fc.Arbitrary<Answer> = fc.record({
	status: fc.constantFrom(200, 200, 200, 200, 200, 500, 503, 400),
	afterMs: fc.oneof(fc.nat(5), fc.nat(40)),
});

async function take(world: World, step: Step): Promise<void> {
	if (step.kind === "enqueue") await world.enqueue(step.count);
	else if (step.kind === "alarm") await world.runAlarm();
	else if (step.kind === "wait") await new Promise((resolve) => setTimeout(resolve, step.ms));
	else if (step.kind === "kill") await (step.hand === 0 ? world.killDispatcher() : world.killHand(step.hand));
	else await (step.hand === 0 ? world.evictDispatcher() : world.evictHand(step.hand));
}

test("whatever is killed or evicted when, all comes to its end, and only what was lost is asked twice", async () => {
	const scenario = fc.record({
		maxConcurrency: fc.integer({ min: 1, max: 20 }),
		steps: fc.array(step, { minLength: 3, maxLength: 12 }),
		answers: fc.array(answer, { minLength: 7, maxLength: 31 }),
	});
	await fc.assert(
		fc.asyncProperty(scenario, async ({ maxConcurrency, steps, answers }) => {
			const world = await World.create(maxConcurrency);
			world.answer = (delivery, nth) =>
				answers[(delivery * 7 + nth) % answers.length] ?? { status: 200, afterMs: 1 };
			for (const one of steps) await take(world, one);
			world.check(await world.finish(), maxConcurrency);
			vi.restoreAllMocks();
		}),
		{ numRuns: 20, endOnFailure: true },
	);
});
