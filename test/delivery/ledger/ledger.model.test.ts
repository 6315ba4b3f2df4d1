/** What holds for the ledger whatever is done with it, in any order, and however often its object is evicted. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { test } from "vitest";
import { newId } from "../../../src/events/ids.ts";
import { dispatcher } from "../../../src/objects/clients.ts";
import { DAY_MS, type Step, World } from "./ledger.world.ts";

const pick = fc.nat();
const enqueue = fc.record({
	kind: fc.constant("enqueue" as const),
	events: fc.array(fc.nat(15), { minLength: 1, maxLength: 6 }),
	isTold: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
});
const claim = fc.record({
	kind: fc.constant("claim" as const),
	due: fc.constantFrom("pending" as const, "pending" as const, "pending" as const, "publishing" as const),
});
const end = fc.record({
	kind: fc.constant("end" as const),
	pick,
	as: fc.constantFrom("succeeded", "dead", "later", "now", "publishing"),
}) as fc.Arbitrary<Step>;
const evict = fc.record({
	kind: fc.constant("evict" as const),
	keeps: fc.array(fc.boolean(), { maxLength: 6 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
	{ weight: 6, arbitrary: enqueue },
	{ weight: 12, arbitrary: claim },
	{ weight: 9, arbitrary: end },
	{ weight: 2, arbitrary: evict },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("retry" as const), pick }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), pick }) },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(60_000) }) },
	{ weight: 1, arbitrary: fc.constant<Step>({ kind: "wait", ms: 31 * DAY_MS }) },
	{ weight: 1, arbitrary: fc.constant<Step>({ kind: "sweep" }) },
);

/** `limit` in deliveries. */
async function play(
	steps: fc.Arbitrary<Step[]>,
	limit: fc.Arbitrary<number>,
	numRuns: number,
): Promise<void> {
	await runInDurableObject(dispatcher(env, newId("ep")), (_, { storage }) => {
		fc.assert(
			fc.property(steps, limit, fc.integer({ min: 1, max: 7 }), (steps, limit, page) => {
				const world = new World(storage, limit);
				for (const one of steps) {
					world.take(one);
					world.checkFound();
				}
				world.checkListed(page);
				world.drain();
			}),
			{ numRuns },
		);
	});
}

test("with room for everything, nothing is lost, duplicated, sent after its end, or kept waiting", async () => {
	await play(fc.array(step, { maxLength: 60 }), fc.constant(1_000), 200);
});

test("with little room, the limit is never exceeded, and refused deliveries stay refused until readmitted", async () => {
	await play(fc.array(step, { maxLength: 60 }), fc.nat(8), 200);
});
