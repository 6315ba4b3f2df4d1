/** What holds for the gates whatever happens at the endpoint, and however often their object is evicted in between. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
	admit,
	after,
	durableOf,
	type EndpointEvent,
	type GateStates,
	type Moment,
	openGates,
	restoreGates,
} from "../../../src/delivery/gates/gates.ts";
import { OUTCOMES } from "../../../src/delivery/rules/attempt.ts";
import { MAX_DELAY_MS } from "../../../src/delivery/rules/schedule.ts";

const NOW = 1_790_000_000_000;
const RUNS = { numRuns: 300 };
const random = fc.double({ min: 0, max: 1, noNaN: true });

const step = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({ kind: fc.constant("begin" as const), deliveries: fc.array(fc.nat(9)) }),
	},
	{
		weight: 12,
		arbitrary: fc.record({
			kind: fc.constant("end" as const),
			pick: fc.nat(),
			outcome: fc.oneof(fc.constantFrom("busy" as const, "done" as const), fc.constantFrom(...OUTCOMES)),
			scope: fc.constantFrom("request" as const, "endpoint" as const),
			retryAfterMs: fc.option(fc.nat(MAX_DELAY_MS), { freq: 3 }),
			random,
		}),
	},
	{ weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(90_000) }) },
	fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(2 * MAX_DELAY_MS) }),
	fc.record({ kind: fc.constant("repair" as const) }),
	fc.record({ kind: fc.constant("evict" as const) }),
	fc.record({ kind: fc.constant("limit" as const), maxConcurrency: fc.integer({ min: 1, max: 30 }) }),
	fc.record({ kind: fc.constant("pause" as const), isActive: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** An endpoint, its gates and what is under way. */
class Endpoint {
	states: GateStates = openGates;
	now = NOW;
	maxConcurrency = 8;
	isActive = true;
	readonly underWay: string[] = [];

	moment(random = 0.5): Moment {
		const { now, maxConcurrency, isActive } = this;
		const inFlight = this.underWay.length;
		return {
			now,
			random,
			inFlight,
			jobs: 0,
			bytesInFlight: 0,
			maxConcurrency,
			isActive,
			isRecovering: false,
		};
	}

	admitted(): ReturnType<typeof admit> {
		return admit(this.states, this.moment());
	}

	end(deliveryId: string, ended: Omit<Extract<Step, { kind: "end" }>, "kind" | "pick">): void {
		const exchange = { ...ended, deliveryId, others: this.underWay.length };
		this.note({ kind: "ended", exchange }, ended.random);
	}

	note(event: EndpointEvent, random: number): void {
		this.states = after(this.states, event, this.moment(random)).states;
	}

	evict(): void {
		this.states = restoreGates(JSON.parse(JSON.stringify(durableOf(this.states))));
	}

	take(step: Step): void {
		switch (step.kind) {
			case "begin": {
				const begun = step.deliveries.slice(0, this.admitted().slots);
				this.underWay.push(...begun.map((delivery) => `dlv_${delivery}`));
				break;
			}
			case "end": {
				const [id] = this.underWay.splice(step.pick % Math.max(this.underWay.length, 1), 1);
				if (id !== undefined) this.end(id, step);
				break;
			}
			case "wait":
				this.now += step.ms;
				break;
			case "repair":
				this.note({ kind: "repaired" }, 0.5);
				break;
			case "evict":
				this.evict();
				break;
			case "limit":
				this.maxConcurrency = step.maxConcurrency;
				break;
			case "pause":
				this.isActive = step.isActive;
				break;
		}
	}
}

function always(check: (endpoint: Endpoint, step: Step) => void): void {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
			const endpoint = new Endpoint();
			for (const one of steps) {
				endpoint.take(one);
				check(endpoint, one);
			}
		}),
		RUNS,
	);
}

test("no more is ever admitted than max_concurrency leaves room for, and no moment that is named has passed", () => {
	always((endpoint) => {
		const admitted = endpoint.admitted();
		const room = Math.max(0, endpoint.maxConcurrency - endpoint.underWay.length);
		expect(admitted.slots).toBeLessThanOrEqual(room);
		if (admitted.blockedBy === null) {
			expect(admitted.slots).toBeGreaterThan(0);
			return;
		}
		if (admitted.until === null) return;
		expect(admitted.until).toBeGreaterThan(endpoint.now);
		// A day, and a fifth more where it was spread.
		expect(admitted.until - endpoint.now).toBeLessThanOrEqual(MAX_DELAY_MS);
	});
});

test("with nothing under way an active endpoint is open, or says when it will be, and then it is", () => {
	always((endpoint) => {
		if (endpoint.underWay.length > 0) return;
		const admitted = endpoint.admitted();
		if (!endpoint.isActive) expect(admitted).toEqual({ slots: 0, blockedBy: "paused", until: null });
		else if (admitted.blockedBy !== null) {
			if (admitted.until === null) throw new Error(`${admitted.blockedBy} never opens`);
			const later = { ...endpoint.moment(), now: admitted.until };
			const next = admit(endpoint.states, later);
			// Another gate may have asked for longer; each of them names its moment, and there are two.
			const opened =
				next.blockedBy === null ? next : admit(endpoint.states, { ...later, now: next.until ?? 0 });
			expect(opened.slots).toBeGreaterThan(0);
		}
	});
});

test("once the server responds again, all of max_concurrency is admitted after a while", () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), random, (steps, random) => {
			const endpoint = new Endpoint();
			for (const one of steps) endpoint.take(one);
			endpoint.isActive = true;
			const done = { outcome: "done", scope: "request", retryAfterMs: null, random } as const;
			const isFull = (): boolean => endpoint.underWay.length === endpoint.maxConcurrency;
			while (endpoint.underWay.length > endpoint.maxConcurrency)
				endpoint.end(endpoint.underWay.pop() ?? "", done);
			// The longest patience, and some for each request more.
			for (let successes = 0; successes < 1_280 + 30 * 40 && !isFull(); successes++) {
				const admitted = endpoint.admitted();
				if (admitted.slots > 0) {
					endpoint.underWay.push(...Array.from({ length: admitted.slots }, (_, at) => `dlv_${at}`));
					if (isFull()) break;
				} else if ("until" in admitted && admitted.until !== null) endpoint.now = admitted.until;
				const ended = endpoint.underWay.pop();
				if (ended !== undefined) endpoint.end(ended, done);
			}
			expect(isFull()).toBe(true);
		}),
		RUNS,
	);
});

test("a repair opens all but the pause", () => {
	always((endpoint) => {
		const repaired = after(endpoint.states, { kind: "repaired" }, endpoint.moment()).states;
		const { maxConcurrency, isActive } = endpoint;
		const idle = { ...endpoint.moment(), inFlight: 0 };
		expect(admit(repaired, { ...idle, isActive: true })).toEqual({ slots: maxConcurrency, blockedBy: null });
		if (!isActive) expect(admit(repaired, idle)).toMatchObject({ slots: 0, blockedBy: "paused" });
	});
});

test("an eviction changes nothing about what is admitted, now or later", () => {
	always((endpoint) => {
		const woken = restoreGates(JSON.parse(JSON.stringify(durableOf(endpoint.states))));
		expect(durableOf(woken)).toEqual(durableOf(endpoint.states));
		for (const inFlight of [0, 1, endpoint.underWay.length]) {
			for (const later of [0, 1_000, 60_000, MAX_DELAY_MS]) {
				const at = { ...endpoint.moment(), inFlight, now: endpoint.now + later };
				expect(admit(woken, at)).toEqual(admit(endpoint.states, at));
			}
		}
	});
});

test("the blamed delivery has failed, and is not one that succeeded", () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
			const endpoint = new Endpoint();
			const refused = new Set<string>();
			for (const one of steps) {
				if (one.kind === "end" && endpoint.underWay.length > 0) {
					const id = endpoint.underWay[one.pick % endpoint.underWay.length] ?? "";
					const exchange = { ...one, deliveryId: id, others: endpoint.underWay.length - 1 };
					const { blamed } = after(endpoint.states, { kind: "ended", exchange }, endpoint.moment());
					if (blamed !== null) {
						expect(["done", "accepted"]).toContain(one.outcome);
						expect(blamed).not.toBe(id);
						expect(refused).toContain(blamed);
					}
					if (one.outcome === "busy" && one.scope === "endpoint") refused.add(id);
				}
				endpoint.take(one);
			}
		}),
		RUNS,
	);
});
