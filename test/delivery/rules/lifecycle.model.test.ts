/**
 * What holds for a delivery whatever happens to it: any sequence of events, at any times. A life begins with the delivery
 * or with a retry, and ends with success, death or cancellation.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromRow, toRow } from "../../../src/delivery/ledger/table/row.ts";
import { DEAD_REASONS } from "../../../src/delivery/records.ts";
import { OUTCOMES } from "../../../src/delivery/rules/attempt.ts";
import type { Delivery } from "../../../src/delivery/rules/delivery.ts";
import { apply } from "../../../src/delivery/rules/lifecycle.ts";
import type { DeliveryEvent } from "../../../src/delivery/rules/delivery-event.ts";
import { MAX_DELAY_MS } from "../../../src/delivery/rules/schedule.ts";
import { type DeliveryState, fresh } from "../../../src/delivery/rules/state.ts";
import type { RetryPolicy } from "../../../src/store/records.ts";

const NOW = 1_790_000_000_000;
const RUNS = { numRuns: 500 };

const policy: fc.Arbitrary<RetryPolicy> = fc.record({
	scheduleSeconds: fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 5 }),
	busyMaxWaitSeconds: fc.integer({ min: 0, max: 7_200 }),
	coldStartSeconds: fc.nat(600),
	statuses: fc.constant([]),
	busyStatuses: fc.constant([]),
});

/** A job that begins ends nothing. */
const ENDS = OUTCOMES.filter((outcome) => outcome !== "accepted");

const answered = {
	kind: fc.constant("attempted" as const),
	scope: fc.constantFrom("request" as const, "endpoint" as const),
	// What readRetryAfter returns is never longer.
	retryAfterMs: fc.option(fc.nat(MAX_DELAY_MS)),
	publishes: fc.boolean(),
};

function eventOf(retry: RetryPolicy): fc.Arbitrary<DeliveryEvent> {
	const withRetry = { retry: fc.constant(retry) };
	const failing = fc.constantFrom("busy" as const, "error" as const);
	return fc.oneof(
		// Most lives are long only if most answers are not the last.
		{ weight: 8, arbitrary: fc.record({ ...answered, ...withRetry, outcome: failing }) },
		{ weight: 3, arbitrary: fc.record({ ...answered, ...withRetry, outcome: fc.constantFrom(...ENDS) }) },
		{
			weight: 4,
			arbitrary: fc.record({
				kind: fc.constant("accepted" as const),
				attempt: fc.integer({ min: 1, max: 100 }),
				handle: fc.option(fc.string()),
				deadlineMs: fc.integer({ min: 1000, max: MAX_DELAY_MS }),
				polls: fc.boolean(),
				retryAfterMs: answered.retryAfterMs,
			}),
		},
		fc.record({
			kind: fc.constant("still_running" as const),
			polls: fc.boolean(),
			retryAfterMs: answered.retryAfterMs,
		}),
		fc.record({ kind: fc.constant("deadline_passed" as const), ...withRetry }),
		fc.record({ kind: fc.constant("resumed" as const), publishes: fc.boolean() }),
		fc.record({ kind: fc.constant("blamed" as const), ...withRetry }),
		fc.record({ kind: fc.constant("put_off" as const), detail: fc.string() }),
		fc.record({
			kind: fc.constant("impossible" as const),
			reason: fc.constantFrom(...DEAD_REASONS),
			detail: fc.string(),
		}),
		fc.record({ kind: fc.constant("retry_asked" as const), publishes: fc.boolean() }),
		fc.record({
			kind: fc.constantFrom("brought_forward", "published", "publish_failed", "cancel_asked"),
		}) as fc.Arbitrary<DeliveryEvent>,
	);
}

const step = (retry: RetryPolicy) =>
	fc.record({
		event: eventOf(retry),
		passes: fc.oneof(fc.nat(120_000), fc.nat(3 * MAX_DELAY_MS)),
		random: fc.double({ min: 0, max: 1, noNaN: true }),
	});

interface Step {
	before: DeliveryState;
	event: DeliveryEvent;
	after: DeliveryState;
	/** Whether the event fitted. */
	fits: boolean;
	now: number;
	retry: RetryPolicy;
}

/** Plays arbitrary lives and has `check` look at each step of them. */
function always(check: (step: Step, soFar: readonly Step[]) => void): void {
	const life = policy.chain((retry) =>
		fc.tuple(fc.constant(retry), fc.array(step(retry), { maxLength: 60 })),
	);
	fc.assert(
		fc.property(life, ([retry, steps]) => {
			let state: DeliveryState = fresh(NOW);
			let now = NOW;
			const soFar: Step[] = [];
			for (const { event, passes, random } of steps) {
				now += passes;
				const applied = apply(state, event, { now, random });
				const fits = !("unexpected" in applied);
				const after: DeliveryState = fits ? applied.state : state;
				const one = { before: state, event, after, fits, now, retry };
				check(one, soFar);
				soFar.push(one);
				state = after;
			}
		}),
		RUNS,
	);
}

function isOver({ phase }: DeliveryState): boolean {
	return phase === "succeeded" || phase === "dead" || phase === "canceled";
}

test("a finished delivery has an end time and no due time; an owed one the reverse", () => {
	always(({ after, now }) => {
		expect("dueAt" in after).toBe(!isOver(after));
		expect("finishedAt" in after).toBe(isOver(after));
		if ("finishedAt" in after) expect(after.finishedAt).toBeLessThanOrEqual(now);
	});
});

test("a finished delivery stays unchanged, unless a dead or canceled one is retried by hand", () => {
	always(({ before, event, after, fits }) => {
		if (!isOver(before)) return;
		const begins = event.kind === "retry_asked" && before.phase !== "succeeded";
		expect(fits).toBe(begins);
		if (begins) expect(isOver(after)).toBe(false);
		else expect(after).toBe(before);
	});
});

test("a success is final, and nothing succeeds without an output of the model", () => {
	always(({ after }, soFar) => {
		const succeededAt = soFar.findIndex((one) => one.after.phase === "succeeded");
		if (succeededAt >= 0) expect(after).toBe(soFar[succeededAt]?.after);
	});
	always(({ before, event, after }) => {
		if (after.phase !== "succeeded" || before.phase === "succeeded") return;
		const isDone = event.kind === "attempted" && event.outcome === "done";
		expect(isDone || event.kind === "resumed" || event.kind === "published").toBe(true);
	});
});

test("attempts spent only become more within a life, one at a time, and never more than the schedule has steps", () => {
	always(({ before, event, after, retry }) => {
		if (after.phase !== "pending" && after.phase !== "waiting") return;
		expect(after.spent).toBeLessThanOrEqual(retry.scheduleSeconds.length);
		if (before.phase !== "pending" && before.phase !== "waiting")
			expect(after).toMatchObject({ spent: 0, busy: null });
		else if (event.kind === "retry_asked") expect(after.spent).toBe(0);
		else expect([0, 1]).toContain(after.spent - before.spent);
	});
});

test("nothing that fails is retried forever: a delivery has one more error than the schedule has steps", () => {
	always(({ before, event, after, retry }, soFar) => {
		if (before.phase !== "pending" || event.kind !== "attempted" || event.outcome !== "error") return;
		const began = soFar.findLastIndex(({ event, fits }) => fits && event.kind === "retry_asked");
		const errors = soFar
			.slice(began + 1)
			.filter((one) => one.event.kind === "attempted" && one.event.outcome === "error").length;
		expect(errors).toBeLessThanOrEqual(retry.scheduleSeconds.length);
		if (errors === retry.scheduleSeconds.length)
			expect(after).toMatchObject({ phase: "dead", reason: "exhausted" });
	});
});

test("no wait is longer than a day, and a requested wait is never shortened", () => {
	always(({ before, event, after, fits, now }) => {
		// A job is waited for until its deadline, which has a test of its own.
		if (!fits || !("dueAt" in after) || after.phase === "waiting") return;
		// What is brought forward keeps its time where that was earlier.
		if (event.kind === "brought_forward") {
			if ("dueAt" in before) expect(after.dueAt).toBe(Math.min(before.dueAt, now));
			return;
		}
		expect(after.dueAt - now).toBeLessThanOrEqual(MAX_DELAY_MS);
		expect(after.dueAt).toBeGreaterThanOrEqual(now);
		const isOwn = event.kind === "attempted" && (event.outcome === "error" || event.outcome === "busy");
		// What speaks for the endpoint is waited for at its gates.
		if (!isOwn || (event.scope === "endpoint" && event.outcome === "busy")) return;
		expect(after.dueAt - now).toBeGreaterThanOrEqual(event.retryAfterMs ?? 0);
	});
});

test("a busy response spends nothing before the endpoint has been busy for busy_max_wait", () => {
	always(({ before, event, after, now, retry }) => {
		if (before.phase !== "pending" || event.kind !== "attempted" || event.outcome !== "busy") return;
		const since = before.busy?.since ?? now;
		if (now - since >= retry.busyMaxWaitSeconds * 1000) return;
		expect(after).toMatchObject({
			phase: "pending",
			spent: before.spent,
			busy: { since, count: (before.busy?.count ?? 0) + 1 },
		});
	});
});

test("an event that does not fit changes nothing, and one that fits signals only what its response says", () => {
	const life = policy.chain((retry) => fc.tuple(eventOf(retry), step(retry)));
	always(({ before, after, fits }) => {
		if (!fits) expect(after).toBe(before);
	});
	fc.assert(
		fc.property(life, ([event, { random }]) => {
			const applied = apply(fresh(NOW), event, { now: NOW, random });
			if ("unexpected" in applied || applied.signals.length === 0) return;
			const outcome = event.kind === "attempted" ? event.outcome : null;
			expect(["unauthorized", "quota", "gone"]).toContain(outcome);
		}),
		RUNS,
	);
});

test("every state that can be reached is read back from its row as it was written", () => {
	always(({ after: state }) => {
		const delivery: Delivery = {
			position: NOW * 1024,
			id: "dlv_1",
			eventId: "evt_1",
			subscriptionId: "sub_1",
			subscriptionName: "docs",
			endpointRef: "embed@1",
			state,
			refused: null,
			budget: null,
			attempts: [],
			event: null,
			result: null,
			resultOmitted: null,
			resultEvent: null,
			resultEventId: null,
		};
		expect(fromRow(toRow(delivery))).toEqual(delivery);
	});
});

test("a job waits no longer than its deadline, which no poll moves, and spends nothing while it runs", () => {
	always(({ before, event, after, now, fits }) => {
		if (after.phase !== "waiting" || !fits) return;
		if (event.kind === "accepted") expect(after.job.deadlineAt).toBe(now + event.deadlineMs);
		if (before.phase === "waiting") expect(after.job.deadlineAt).toBe(before.job.deadlineAt);
		if (before.phase === "waiting" || before.phase === "pending") expect(after.spent).toBe(before.spent);
		// One that has been put off is looked at when its subscription is there again.
		if (event.kind !== "put_off") expect(after.dueAt).toBeLessThanOrEqual(after.job.deadlineAt);
	});
});
