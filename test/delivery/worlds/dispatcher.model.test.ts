/**
 * A whole dispatcher with its hands at work, killed and evicted between any two steps. Whatever happens, every delivery
 * comes to its end; and only what was under way at a crash is asked of the model twice.
 */
import fc from "fast-check";
import { afterEach, describe, test, vi } from "vitest";
import { type Answer, World } from "./dispatcher.world.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

type Step =
	| { kind: "enqueue"; count: number }
	| { kind: "kill" | "evict"; hand: number }
	| { kind: "alarm" }
	| { kind: "by hand"; what: "retry" | "cancel" | "repair"; pick: number }
	| { kind: "queue"; isDown: boolean }
	| { kind: "rest" }
	| { kind: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 5,
		arbitrary: fc.record({ kind: fc.constant("enqueue" as const), count: fc.integer({ min: 1, max: 20 }) }),
	},
	{
		weight: 3,
		// 0 is the dispatcher itself.
		arbitrary: fc.record({
			kind: fc.constantFrom("kill" as const, "evict" as const),
			hand: fc.constantFrom(0, 1, 1, 2),
		}),
	},
	{ weight: 1, arbitrary: fc.constant<Step>({ kind: "alarm" }) },
	{ weight: 4, arbitrary: fc.constant<Step>({ kind: "rest" }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("queue" as const), isDown: fc.boolean() }) },
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant("by hand" as const),
			what: fc.constantFrom("retry" as const, "cancel" as const, "repair" as const),
			pick: fc.nat(),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(30) }) },
);

/** Some models answer well all the time; of the others, each delivery hears this and that. */
const answers: fc.Arbitrary<Answer[]> = fc
	.constantFrom([200], [200], [200, 200, 200, 500, 503, 400], [200, 200, 200, 500, 400])
	.chain((statuses) =>
		fc.array(fc.record({ status: fc.constantFrom(...statuses), afterMs: fc.oneof(fc.nat(5), fc.nat(40)) }), {
			minLength: 7,
			maxLength: 31,
		}),
	);

async function take(world: World, step: Step): Promise<void> {
	if (step.kind === "enqueue") await world.enqueue(step.count);
	else if (step.kind === "alarm") await world.runAlarm();
	else if (step.kind === "wait") await new Promise((resolve) => setTimeout(resolve, step.ms));
	else if (step.kind === "rest") await world.rest();
	else if (step.kind === "queue") world.isQueueDown = step.isDown;
	else if (step.kind === "by hand") await world.byHand(step.what, step.pick);
	else if (step.kind === "kill") await (step.hand === 0 ? world.killDispatcher() : world.killHand(step.hand));
	else await (step.hand === 0 ? world.evictDispatcher() : world.evictHand(step.hand));
}

/** Plays the steps against a model with these answers, and checks what is promised once all is over. */
async function play(
	maxConcurrency: number,
	answers: readonly Answer[],
	steps: readonly Step[],
): Promise<void> {
	const world = await World.create(maxConcurrency);
	world.answer = (delivery, nth) =>
		answers[(delivery * 7 + nth) % answers.length] ?? { status: 200, afterMs: 1 };
	for (const one of steps) await take(world, one);
	world.check(await world.finish(), maxConcurrency);
	vi.restoreAllMocks();
}

test("whenever an object is killed or evicted, every delivery ends, and only lost requests are sent twice", async () => {
	const scenario = fc.record({
		maxConcurrency: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 7, max: 17 })),
		steps: fc.array(step, { minLength: 3, maxLength: 12 }),
		answers,
	});
	await fc.assert(
		fc.asyncProperty(scenario, async ({ maxConcurrency, steps, answers }) => {
			await play(maxConcurrency, answers, steps);
		}),
		{ numRuns: 24, endOnFailure: true },
	);
});

describe("an object that is lost between any two steps of a day", () => {
	const day: Step[] = [
		{ kind: "enqueue", count: 12 },
		{ kind: "wait", ms: 8 },
		{ kind: "enqueue", count: 9 },
		{ kind: "rest" },
		{ kind: "by hand", what: "retry", pick: 5 },
		{ kind: "queue", isDown: true },
		{ kind: "enqueue", count: 8 },
		{ kind: "rest" },
		{ kind: "by hand", what: "cancel", pick: 22 },
		{ kind: "queue", isDown: false },
		{ kind: "by hand", what: "repair", pick: 0 },
		{ kind: "enqueue", count: 3 },
		{ kind: "alarm" },
	];
	const answers = [200, 200, 500, 200, 200, 400, 200].map((status, at) => ({ status, afterMs: 3 * at }));
	const objects = [
		["the dispatcher", 0],
		["a hand", 1],
	] as const;

	test.each(objects)("%s, evicted", async (_, hand) => {
		for (let at = 1; at <= day.length; at++) {
			await play(13, answers, [...day.slice(0, at), { kind: "evict", hand }, ...day.slice(at)]);
		}
	});

	test.each(objects)("%s, killed", async (_, hand) => {
		for (let at = 1; at <= day.length; at++) {
			await play(13, answers, [...day.slice(0, at), { kind: "kill", hand }, ...day.slice(at)]);
		}
	});
});
