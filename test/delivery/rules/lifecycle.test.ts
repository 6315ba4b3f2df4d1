import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/delivery/rules/attempt.ts";
import { fresh, step, type Context, type Happened } from "../../../src/delivery/rules/lifecycle.ts";
import type { DeliveryState } from "../../../src/delivery/records.ts";
import type { RetryPolicy } from "../../../src/store/records.ts";

const NOW = 1_790_000_000_000;
/** In the middle of the jitter, so that a wait is exactly its step. */
const context: Context = { now: NOW, random: 0.5 };
const retry: RetryPolicy = {
	scheduleSeconds: [5, 300],
	busyMaxWaitSeconds: 3600,
	coldStartSeconds: 0,
	statuses: [],
	busyStatuses: [],
};
const pending = fresh(NOW);

function answered(outcome: Outcome, more: Partial<Extract<Happened, { kind: "answered" }>> = {}): Happened {
	return {
		kind: "answered",
		outcome,
		scope: "request",
		retryAfterMs: null,
		publishes: false,
		retry,
		...more,
	};
}

describe("an answer", () => {
	test.each<[Outcome, Partial<DeliveryState>]>([
		["done", { status: "succeeded", dueAt: null, finishedAt: NOW, spent: 0 }],
		["error", { status: "pending", dueAt: NOW + 5_000, spent: 1 }],
		["busy", { status: "pending", dueAt: NOW + 1_000, spent: 0, busyCount: 1, busySince: NOW }],
		["bad_input", { status: "dead", reason: "rejected", dueAt: null, finishedAt: NOW }],
		["unauthorized", { status: "pending", dueAt: NOW, spent: 0 }],
		["quota", { status: "pending", dueAt: NOW, spent: 0 }],
		["gone", { status: "dead", reason: "gone", dueAt: null, finishedAt: NOW }],
	])("%s leads to %j", (outcome, state) => {
		expect(step(pending, answered(outcome), context).state).toMatchObject(state);
	});

	test.each<[Outcome, unknown[]]>([
		["done", []],
		["error", []],
		["busy", []],
		["bad_input", []],
		["unauthorized", [{ kind: "pause", reason: "unauthorized" }]],
		["quota", [{ kind: "pause", reason: "quota" }]],
		["gone", [{ kind: "disable", reason: "gone" }]],
	])("%s means for the endpoint: %j", (outcome, effects) => {
		expect(step(pending, answered(outcome), context).effects).toEqual(effects);
	});
});

describe("errors", () => {
	test("walk down the schedule and end dead", () => {
		const first = step(pending, answered("error"), context).state;
		const second = step(first, answered("error"), context).state;
		const third = step(second, answered("error"), context).state;
		expect(second).toMatchObject({ status: "pending", spent: 2, dueAt: NOW + 300_000 });
		expect(third).toMatchObject({ status: "dead", reason: "exhausted", spent: 3, dueAt: null });
	});

	test("wait at least as long as the endpoint asked", () => {
		const { state } = step(pending, answered("error", { retryAfterMs: 60_000 }), context);
		expect(state.dueAt).toBeGreaterThanOrEqual(NOW + 60_000);
	});
});

describe("busy answers", () => {
	test("cost nothing until the endpoint has been busy for too long", () => {
		let state = pending;
		for (let minute = 0; minute < 60; minute++) {
			({ state } = step(state, answered("busy"), {
				...context,
				now: NOW + minute * 60_000,
			}));
			expect(state).toMatchObject({ status: "pending", spent: 0, busySince: NOW });
		}
		({ state } = step(state, answered("busy"), { ...context, now: NOW + 3_600_000 }));
		expect(state).toMatchObject({ status: "pending", spent: 1, busyCount: 0, busySince: null });
	});

	test.each<Outcome>(["unauthorized", "quota"])(
		"are counted anew behind a pause for %s, however long somebody took to resume",
		(outcome) => {
			const busy = step(pending, answered("busy"), context).state;
			const paused = step(busy, answered(outcome), context).state;
			const later = { ...context, now: NOW + 7_200_000 };
			const resumed = step(paused, answered("busy"), later).state;
			expect(resumed).toMatchObject({ spent: 0, busyCount: 1, busySince: later.now });
		},
	);

	test("wait at least as long as the endpoint asked", () => {
		const { state } = step(pending, answered("busy", { retryAfterMs: 120_000 }), context);
		expect(state.dueAt).toBeGreaterThanOrEqual(NOW + 120_000);
	});

	test("that speak for the endpoint leave the waiting to its gates", () => {
		const { state } = step(pending, answered("busy", { scope: "endpoint" }), context);
		expect(state).toMatchObject({ dueAt: NOW, spent: 0, busyCount: 1, busySince: NOW });
	});

	test("cost an attempt after all when the delivery is to blame, but only while they are its last word", () => {
		const busy = step(pending, answered("busy", { scope: "endpoint" }), context).state;
		const blamed = { kind: "blamed", retry } as const;
		expect(step(busy, blamed, context).state).toMatchObject({
			spent: 1,
			busySince: null,
			dueAt: NOW + 5_000,
		});
		expect(step(pending, blamed, context).state).toEqual(pending);
		const over = step(pending, answered("done"), context).state;
		expect(step(over, blamed, context).state).toEqual(over);
	});

	test("are counted anew after another answer", () => {
		const busy = step(pending, answered("busy"), context).state;
		expect(step(busy, answered("error"), context).state).toMatchObject({ busyCount: 0, busySince: null });
	});
});

describe("a result event", () => {
	const answer = answered("done", { publishes: true });

	test("keeps the delivery until the queue has it", () => {
		const waiting = step(pending, answer, context).state;
		expect(waiting).toMatchObject({ status: "publishing", finishedAt: null });
		expect(step(waiting, { kind: "published" }, context).state).toMatchObject({
			status: "succeeded",
			dueAt: null,
		});
	});

	test("that the queue refuses is offered again, and costs no attempt", () => {
		const waiting = step(pending, answer, context).state;
		const again = step(waiting, { kind: "publish_failed" }, context).state;
		expect(again).toMatchObject({ status: "publishing", spent: 0, dueAt: NOW + 5_000 });
	});

	test("is kept when somebody asks for a retry meanwhile", () => {
		const waiting = { ...step(pending, answer, context).state, dueAt: NOW + 5_000 };
		expect(step(waiting, { kind: "retry_asked", publishes: true }, context).state).toMatchObject({
			status: "publishing",
			dueAt: NOW,
		});
	});
});

describe("a person", () => {
	test("may send a dead delivery again, with a whole new schedule", () => {
		const dead = step({ ...pending, spent: 2 }, answered("error"), context).state;
		expect(step(dead, { kind: "retry_asked", publishes: false }, context).state).toEqual(fresh(NOW));
	});

	test("does not make the model answer twice: what was canceled before it was published is published", () => {
		const canceled = step(
			step(pending, answered("done", { publishes: true }), context).state,
			{ kind: "cancel_asked" },
			context,
		).state;
		const asked: Happened = { kind: "retry_asked", publishes: true };
		expect(step(canceled, asked, context).state).toMatchObject({
			status: "publishing",
			dueAt: NOW,
			finishedAt: null,
		});
	});

	test("may cancel what is not finished", () => {
		expect(step(pending, { kind: "cancel_asked" }, context).state).toMatchObject({
			status: "canceled",
			dueAt: null,
			finishedAt: NOW,
		});
	});
});

test("what cannot be sent now is put off for a minute, says why, and costs nothing", () => {
	const busy = { ...pending, spent: 1, busyCount: 3, busySince: NOW - 5 };
	const waiting = step(busy, { kind: "put_off", detail: "not there" }, context).state;
	expect(waiting).toEqual({ ...busy, status: "pending", detail: "not there", dueAt: NOW + 60_000 });
	expect(step(waiting, answered("done"), context).state.detail).toBeNull();
	expect(step(waiting, answered("busy"), context).state.detail).toBeNull();
	expect(step(waiting, { kind: "cancel_asked" }, context).state.detail).toBeNull();
});

test("what cannot be sent ends dead with its reason", () => {
	const happened: Happened = { kind: "impossible", reason: "transform_failed", detail: "no value" };
	expect(step(pending, happened, context).state).toMatchObject({
		status: "dead",
		reason: "transform_failed",
		detail: "no value",
		dueAt: null,
	});
});
