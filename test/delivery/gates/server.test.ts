/**
 * The gates against servers that are simulated: no clock, no network. What is asserted is how much is wasted and who
 * waits, never how long anything takes on this machine.
 */
import { describe, expect, test } from "vitest";
import type { Outcome, Scope } from "../../../src/delivery/rules/attempt.ts";
import { admit, after, type GateStates, openGates } from "../../../src/delivery/gates/gates.ts";
import type { Moment } from "../../../src/delivery/gates/gate.ts";
import { busyDelay } from "../../../src/delivery/rules/schedule.ts";

interface Reply {
	outcome: Outcome;
	scope?: Scope;
	retryAfterMs?: number;
	/** ms. */
	takes: number;
}
type Server = (request: { id: string; at: number; inFlight: number }) => Reply;

interface Run {
	/** When each delivery was done, ms from the start. */
	doneAt: Map<string, number>;
	/** Requests that were not done. */
	wasted: number;
	/** The most that were under way at once. */
	peak: number;
	/** Deliveries that were blamed for their own failures. */
	blamed: string[];
}

/** Sends deliveries until all are done or `endsAt` has come. `arrivals`: when each comes in, ms. */
function run(server: Server, arrivals: Record<string, number>, maxConcurrency = 5, endsAt = 600_000): Run {
	let states: GateStates = openGates;
	const pending = new Map<string, { id: string; dueAt: number; busyCount: number }>(
		Object.entries(arrivals).map(([id, dueAt]) => [id, { id, dueAt, busyCount: 0 }] as const),
	);
	const flying: { id: string; reply: Reply; endsAt: number }[] = [];
	/** How often each had been refused when it was sent last. */
	const busyCounts = new Map<string, number>();
	const result: Run = { doneAt: new Map(), wasted: 0, peak: 0, blamed: [] };
	let now = 0;
	while (now < endsAt && (pending.size > 0 || flying.length > 0)) {
		const moment = (): Moment => ({
			now,
			random: 0.5,
			inFlight: flying.length,
			jobs: 0,
			bytesInFlight: 0,
			maxConcurrency,
			isActive: true,
			isRecovering: false,
		});
		for (;;) {
			const slots: number = admit(states, moment()).slots;
			const due = [...pending.values()].filter(({ dueAt }) => dueAt <= now);
			const next = due.sort((left, right) => left.dueAt - right.dueAt)[0];
			if (slots === 0 || next === undefined) break;
			pending.delete(next.id);
			const reply = server({ id: next.id, at: now, inFlight: flying.length });
			flying.push({ id: next.id, reply, endsAt: now + reply.takes });
			result.peak = Math.max(result.peak, flying.length);
			busyCounts.set(next.id, next.busyCount);
		}
		const admitted = admit(states, moment());
		const moments = [
			...flying.map(({ endsAt }) => endsAt),
			...[...pending.values()].map(({ dueAt }) => dueAt).filter((at) => at > now),
			...(admitted.blockedBy !== null && admitted.until !== null ? [admitted.until] : []),
		];
		now = Math.min(endsAt, ...moments);
		for (const ended of flying.filter(({ endsAt }) => endsAt <= now)) {
			flying.splice(flying.indexOf(ended), 1);
			const { outcome, scope = "request", retryAfterMs = null } = ended.reply;
			const exchange = { deliveryId: ended.id, outcome, scope, retryAfterMs, others: flying.length };
			const next = after(states, { kind: "ended", exchange }, moment());
			states = next.states;
			if (next.blamed !== null) result.blamed.push(next.blamed);
			if (outcome === "done") result.doneAt.set(ended.id, now);
			else {
				result.wasted += 1;
				const busyCount = busyCounts.get(ended.id) ?? 0;
				const dueAt = now + busyDelay({ busyCount, retryAfterMs, random: 0.5 });
				pending.set(ended.id, { id: ended.id, dueAt, busyCount: busyCount + 1 });
			}
		}
	}
	return result;
}
function atOnce(count: number): Record<string, number> {
	return Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index}`, 0]));
}

const busy = (takes = 1): Reply => ({ outcome: "busy", takes });
const done = (takes: number): Reply => ({ outcome: "done", takes });
const refused: Reply = { outcome: "busy", scope: "endpoint", takes: 1 };

describe("a server that admits two", () => {
	test("wastes less than 5 % of 500 requests, whatever the limit asked for, and works all the time", () => {
		for (const max of [5, 6, 20, 100]) {
			const { doneAt, wasted } = run(({ inFlight }) => (inFlight < 2 ? done(100) : busy()), atOnce(500), max);
			expect(doneAt.size).toBe(500);
			expect(wasted / 500).toBeLessThan(0.05 + max / 500);
			expect(Math.max(...doneAt.values())).toBeLessThan(500 * 100);
		}
	});

	test("that admits more later is found out", () => {
		const { doneAt, peak } = run(
			({ inFlight, at }) => (inFlight < (at < 10_000 ? 2 : 6) ? done(100) : busy()),
			atOnce(2_000),
			6,
		);
		expect(doneAt.size).toBe(2_000);
		expect(peak).toBe(6);
		expect(Math.max(...doneAt.values())).toBeLessThan(10_000 + 2_000 * 40);
	});
});

/** Refuses every `nth` request. */
function oneIn(nth: number): Server {
	let count = 0;
	return () => ((count++ * 7919 + 3) % nth === 0 ? busy(500) : done(500));
}

describe("a server that refuses at random, whatever its load", () => {
	test.each([
		[100, 40, 20],
		[10, 40, 1.5],
	])("one in %i of them, with %i allowed, keeps at least %d at work", (nth, max, least) => {
		const { doneAt } = run(oneIn(nth), atOnce(2_000), max, 3_600_000);
		expect(doneAt.size).toBe(2_000);
		expect(Math.max(...doneAt.values())).toBeLessThan((2_000 * 500) / least);
	});
});

test("one input that is always refused does not block 140 others", () => {
	const arrivals = {
		poison: 0,
		...Object.fromEntries(Array.from({ length: 140 }, (_, i) => [`d${i}`, i * 100])),
	};
	const { doneAt } = run(({ id }) => (id === "poison" ? busy() : done(20)), arrivals, 5, 60_000);
	expect(doneAt.size).toBe(140);
	for (const [id, at] of doneAt)
		expect(at - (arrivals[id as keyof typeof arrivals] ?? 0)).toBeLessThan(1_000);
});

const starting: Server = ({ at }) => (at < 21_000 ? refused : done(50));

describe("a model that needs 21 s to start", () => {
	test("is asked a few times, one at a time, and gets everything soon after", () => {
		const { doneAt, wasted, blamed } = run(starting, atOnce(30));
		expect(doneAt.size).toBe(30);
		expect(wasted).toBeLessThan(12);
		expect(blamed).toEqual([]);
		expect(Math.min(...doneAt.values())).toBeLessThan(21_000 + 15_000 * 1.2);
	});

	test("and says 503 while it does, likewise", () => {
		const { doneAt, wasted } = run(({ at }) => (at < 21_000 ? busy() : done(50)), atOnce(30));
		expect(doneAt.size).toBe(30);
		expect(wasted).toBeLessThan(40);
	});
});

test("a delivery that crashes the model is found out: another succeeds, and it alone had failed", () => {
	let downUntil = 0;
	const { blamed, doneAt } = run(
		({ id, at }) => {
			if (at < downUntil) return refused;
			if (id === "bad") downUntil = at + 500;
			return id === "bad" ? refused : done(10);
		},
		{ bad: 0, other: 100 },
		5,
		3_000,
	);
	expect(doneAt.has("other")).toBe(true);
	expect(blamed).toContain("bad");
});

test("Retry-After holds the whole endpoint for as long, though others succeed", () => {
	const sent: number[] = [];
	run(
		({ id, at }) => {
			sent.push(at);
			return id === "d0" && at === 0 ? { outcome: "busy", retryAfterMs: 10_000, takes: 1 } : done(5);
		},
		{ ...atOnce(3), later: 2_000 },
	);
	expect(sent.filter((at) => at > 1 && at < 10_000)).toEqual([]);
});
