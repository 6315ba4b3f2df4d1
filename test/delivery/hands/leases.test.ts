import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Held } from "../../../src/delivery/hands/job.ts";
import { JOBS_A_HAND, Leases, SLACK_MS } from "../../../src/delivery/hands/leases.ts";

const NOW = 1_790_000_000_000;
const NOBODY: ReadonlySet<number> = new Set();
const TIMEOUT_MS = 30_000;

function held(token: string, startedAt = NOW): Held {
	return { token, deliveryId: `dlv_${token}`, position: 1, startedAt, timeoutMs: TIMEOUT_MS };
}

/** Six jobs for the first hand and `more` for the second, all of which have left. */
function leased(more: number): Leases {
	const leases = new Leases();
	for (let job = 0; job < JOBS_A_HAND + more; job++) {
		const number = leases.handWithRoom(NOBODY);
		leases.add(number, held(String(job)), NOW);
		leases.give(number, [held(String(job))], null, NOW);
	}
	return leases;
}

const SIX = Array.from({ length: JOBS_A_HAND }, (_, job) => held(String(job)));

describe("a job goes", () => {
	test("to the first hand with room, and only then to another", () => {
		expect(leased(0).handWithRoom(NOBODY)).toBe(2);
		const leases = leased(1);
		leases.end(1, "3");
		expect(leases.handWithRoom(NOBODY)).toBe(1);
	});

	test("to a hand that is asking for work, where it has room", () => {
		expect(leased(1).handWithRoom(new Set([2]))).toBe(2);
		expect(leased(JOBS_A_HAND).handWithRoom(new Set([2]))).toBe(3);
	});
});

describe("a hand that is heard", () => {
	test("in the same life has lost nothing", () => {
		const leases = leased(0);
		expect(leases.hear(1, "a", NOW)).toEqual([]);
		expect(leases.hear(1, "a", NOW + 1)).toEqual([]);
		expect(leases.size).toBe(JOBS_A_HAND);
	});

	test("in another life has lost all it had, at once", () => {
		const leases = leased(1);
		leases.give(1, SIX, "a", NOW);
		expect(leases.hear(1, "b", NOW).map(({ token }) => token)).toEqual(["0", "1", "2", "3", "4", "5"]);
		expect(leases.size).toBe(1);
	});

	test("in another life has not lost what it was given in this one, nor what is on its way", () => {
		const leases = leased(0);
		leases.give(1, SIX.slice(0, 1), "a", NOW);
		leases.give(1, SIX.slice(1, 2), "b", NOW);
		expect(leases.hear(1, "b", NOW).map(({ token }) => token)).toEqual(["0"]);
		expect(leases.hear(1, "b", NOW)).toEqual([]);
	});

	test("has lost nothing that has not left for it, however long that takes", () => {
		const leases = new Leases();
		leases.add(1, held("0"), NOW);
		const late = NOW + TIMEOUT_MS + SLACK_MS + 1;
		expect(leases.compare(1, { incarnation: "b", held: [] }, late)).toEqual([]);
		expect(leases.overdue(late)).toEqual([]);
		leases.give(1, [held("0")], null, late);
		expect(leases.overdue(late)).toHaveLength(1);
	});

	test("in another life for the first time after it took jobs has lost none of these", () => {
		const leases = leased(0);
		leases.end(1, "0");
		leases.give(1, [held("1")], "a", NOW);
		leases.hear(1, "a", NOW);
		leases.end(1, "1");
		// It was evicted while it had nothing, and these were on their way to whoever came next.
		leases.give(1, [held("2"), held("3"), held("4")], "b", NOW);
		expect(leases.hear(1, "b", NOW)).toEqual([]);
		expect(leases.hear(1, "c", NOW).map(({ token }) => token)).toEqual(["2", "3", "4"]);
		// The last has not arrived anywhere that is known: it is asked for, whatever else is heard of the hand.
		expect(leases.silent(NOW + 5_000, 15_000)).toEqual([]);
		expect(leases.silent(NOW + 5_001, 15_000)).toEqual([1]);
		const empty = { incarnation: "c", held: [] };
		expect(leases.compare(1, empty, NOW + 5_001).map(({ token }) => token)).toEqual(["5"]);
	});

	test("at a roll call has lost what it does not name, unless that may still be on its way", () => {
		const leases = leased(0);
		leases.hear(1, "a", NOW);
		const roll = { incarnation: "a", held: [held("0"), held("1"), held("2"), held("3"), held("4")] };
		expect(leases.compare(1, roll, NOW + 1_000)).toEqual([]);
		expect(leases.compare(1, roll, NOW + 6_000).map(({ token }) => token)).toEqual(["5"]);
		expect(leases.size).toBe(5);
	});
});

describe("a silent hand", () => {
	test("is asked when it has work and was not heard of for long", () => {
		const leases = leased(1);
		for (const hand of [1, 2]) {
			leases.give(
				hand,
				["0", "1", "2", "3", "4", "5", "6"].map((token) => held(token)),
				"a",
				NOW,
			);
		}
		leases.hear(2, "a", NOW + 10_000);
		expect(leases.silent(NOW + 14_999, 15_000)).toEqual([]);
		expect(leases.silent(NOW + 15_000, 15_000)).toEqual([1]);
		for (let job = 0; job < JOBS_A_HAND; job++) leases.end(1, String(job));
		expect(leases.silent(NOW + 15_000, 15_000)).toEqual([]);
	});

	test("keeps its slots until its exchanges must be over", () => {
		const leases = leased(0);
		expect(leases.overdue(NOW + TIMEOUT_MS + SLACK_MS)).toEqual([]);
		expect(leases.overdue(NOW + TIMEOUT_MS + SLACK_MS + 1)).toHaveLength(JOBS_A_HAND);
		expect(leases.size).toBe(0);
	});

	test("is doubted at once where a call to it failed", () => {
		const leases = leased(0);
		leases.hear(1, "a", NOW);
		leases.doubt(1);
		expect(leases.silent(NOW, 15_000)).toEqual([1]);
	});
});

test("in any order of occurrences, no hand has more than six leases, each lease ends once, and none is forgotten", () => {
	const step = fc.oneof(
		fc.record({ kind: fc.constant("lease" as const), asking: fc.integer({ min: 1, max: 4 }) }),
		fc.record({ kind: fc.constant("end" as const), pick: fc.nat() }),
		fc.record({ kind: fc.constant("arrive" as const), hand: fc.integer({ min: 1, max: 4 }) }),
		fc.record({ kind: fc.constant("restart" as const), hand: fc.integer({ min: 1, max: 4 }) }),
		fc.record({
			kind: fc.constant("roll" as const),
			hand: fc.integer({ min: 1, max: 4 }),
			keeps: fc.array(fc.boolean(), { maxLength: 6 }),
		}),
		fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 70_000 }) }),
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
			const leases = new Leases();
			const out = new Map<string, number>();
			const ended = new Set<string>();
			let [now, made, life] = [NOW, 0, 0];
			const arrived = new Set<string>();
			const arrive = (hand: number): void => {
				const own = [...out].filter(([, of]) => of === hand).map(([token]) => token);
				for (const token of own) arrived.add(token);
				leases.give(
					hand,
					own.map((token) => held(token)),
					`life ${life}`,
					now,
				);
			};
			const end = (lost: readonly Held[]): void => {
				for (const { token } of lost) {
					expect(ended.has(token)).toBe(false);
					expect(out.delete(token)).toBe(true);
					ended.add(token);
				}
			};
			for (const one of steps) {
				if (one.kind === "lease") {
					const hand = leases.handWithRoom(new Set([one.asking]));
					const job = held(String(made++), now);
					leases.add(hand, job, now);
					leases.give(hand, [job], null, now);
					out.set(job.token, hand);
				} else if (one.kind === "end") {
					const [token, hand] = [...out][one.pick % Math.max(out.size, 1)] ?? ["none", 1];
					expect(leases.end(hand, token)).toBe(out.delete(token));
					ended.add(token);
					expect(leases.end(hand, token)).toBe(false);
				} else if (one.kind === "restart") {
					// What is on its way may reach the next life; what the life before was known to have is lost.
					end(leases.hear(one.hand, `life ${++life}`, now));
					for (const [token, hand] of out) expect(hand === one.hand && arrived.has(token)).toBe(false);
				} else if (one.kind === "arrive") {
					arrive(one.hand);
				} else if (one.kind === "roll") {
					const own = [...out].filter(([, hand]) => hand === one.hand).map(([token]) => held(token));
					const roll = { incarnation: "roll", held: own.filter((_, index) => one.keeps[index] ?? true) };
					end(leases.compare(one.hand, roll, now));
				} else {
					now += one.ms;
					end(leases.overdue(now));
				}
				expect(leases.size).toBe(out.size);
				for (let hand = 1; hand <= 200; hand++) {
					expect([...out.values()].filter((of) => of === hand).length).toBeLessThanOrEqual(JOBS_A_HAND);
					if (hand > out.size) break;
				}
			}
		}),
		{ numRuns: 200 },
	);
});
