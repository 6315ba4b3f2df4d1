import { describe, expect, test } from "vitest";
import { apply } from "../../../src/delivery/rules/lifecycle.ts";
import type {
	Attempted,
	Context,
	DeliveryEvent,
	Signal,
} from "../../../src/delivery/rules/delivery-event.ts";
import { type DeliveryState, fresh, type Pending, type Waiting } from "../../../src/delivery/rules/state.ts";
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
const waiting: Waiting = {
	phase: "waiting",
	dueAt: NOW,
	spent: 1,
	job: { handle: "job-1", polls: 0, deadlineAt: NOW + 60_000 },
};
const publishing: DeliveryState = { phase: "publishing", dueAt: NOW };
const succeeded: DeliveryState = { phase: "succeeded", finishedAt: NOW };
const canceled: DeliveryState = { phase: "canceled", finishedAt: NOW };

function dead(reason: Extract<DeliveryState, { phase: "dead" }>["reason"], detail: string | null = null) {
	return { phase: "dead", reason, detail, finishedAt: NOW } satisfies DeliveryState;
}

function attempted(outcome: Attempted["outcome"], more: Partial<Attempted> = {}): Attempted {
	return {
		kind: "attempted",
		outcome,
		scope: "request",
		retryAfterMs: null,
		publishes: false,
		retry,
		...more,
	};
}

/** The state after the event, which must fit. */
function after(state: DeliveryState, event: DeliveryEvent, at: Context = context): DeliveryState {
	const applied = apply(state, event, at);
	if ("unexpected" in applied) throw new Error(`${event.kind} does not fit ${state.phase}`);
	return applied.state;
}

/** The same, of a state that has to wait for another attempt. */
function waits(state: DeliveryState, event: DeliveryEvent, at: Context = context): Pending {
	const next = after(state, event, at);
	if (next.phase !== "pending") throw new Error(`it is ${next.phase}`);
	return next;
}

describe("which events fit which state", () => {
	const events: Record<string, DeliveryEvent> = {
		attempted: attempted("error"),
		accepted: {
			kind: "accepted",
			handle: "job-1",
			attempt: 1,
			deadlineMs: 60_000,
			polls: true,
			retryAfterMs: null,
		},
		still_running: { kind: "still_running", retryAfterMs: null, polls: true },
		deadline_passed: { kind: "deadline_passed", retry },
		resumed: { kind: "resumed", publishes: true },
		blamed: { kind: "blamed", retry },
		brought_forward: { kind: "brought_forward" },
		put_off: { kind: "put_off", detail: "not there" },
		impossible: { kind: "impossible", reason: "too_large", detail: "too large" },
		published: { kind: "published" },
		publish_failed: { kind: "publish_failed" },
		retry_asked: { kind: "retry_asked", publishes: false },
		cancel_asked: { kind: "cancel_asked" },
	};
	const busy: DeliveryState = { ...pending, busy: { count: 1, since: NOW } };

	test.each<[string, DeliveryState, string]>([
		[
			"pending",
			pending,
			"attempted accepted resumed brought_forward put_off impossible retry_asked cancel_asked",
		],
		[
			"pending and busy",
			busy,
			"attempted accepted resumed blamed brought_forward put_off impossible retry_asked cancel_asked",
		],
		["waiting", waiting, "attempted still_running put_off impossible retry_asked cancel_asked"],
		[
			"waiting, its deadline passed",
			{ ...waiting, job: { ...waiting.job, deadlineAt: NOW } },
			"attempted still_running deadline_passed put_off impossible retry_asked cancel_asked",
		],
		["publishing", publishing, "impossible published publish_failed retry_asked cancel_asked"],
		["succeeded", succeeded, ""],
		["dead", dead("exhausted"), "retry_asked"],
		["canceled", canceled, "retry_asked"],
	])("a %s delivery, and every other event is an error value", (_, state, fitting) => {
		const fits = Object.keys(events).filter((kind) => {
			const event = events[kind];
			return event !== undefined && !("unexpected" in apply(state, event, context));
		});
		expect(fits.join(" ")).toBe(fitting);
	});
});

describe("a response", () => {
	test.each<[Attempted["outcome"], DeliveryState]>([
		["done", succeeded],
		["error", { ...pending, dueAt: NOW + 5_000, spent: 1 }],
		["busy", { ...pending, dueAt: NOW + 1_000, busy: { count: 1, since: NOW } }],
		["bad_input", dead("rejected")],
		["unauthorized", pending],
		["quota", pending],
		["gone", dead("gone")],
	])("%s leads to %j", (outcome, state) => {
		expect(after(pending, attempted(outcome))).toEqual(state);
	});

	test.each<[Attempted["outcome"], Signal[]]>([
		["done", []],
		["error", []],
		["busy", []],
		["bad_input", []],
		["unauthorized", [{ kind: "pause", reason: "unauthorized" }]],
		["quota", [{ kind: "pause", reason: "quota" }]],
		["gone", [{ kind: "disable", reason: "gone" }]],
	])("%s means for the endpoint: %j", (outcome, signals) => {
		expect(apply(pending, attempted(outcome), context)).toMatchObject({ signals });
	});
});

describe("errors", () => {
	test("walk down the schedule and end dead", () => {
		const first = after(pending, attempted("error"));
		const second = after(first, attempted("error"));
		expect(second).toMatchObject({ phase: "pending", spent: 2, dueAt: NOW + 300_000 });
		expect(after(second, attempted("error"))).toEqual(dead("exhausted"));
	});

	test("wait at least as long as the endpoint asked", () => {
		const state = waits(pending, attempted("error", { retryAfterMs: 60_000 }));
		expect(state.dueAt).toBeGreaterThanOrEqual(NOW + 60_000);
	});
});

describe("busy responses", () => {
	test("cost nothing until the endpoint has been busy for too long", () => {
		let state: DeliveryState = pending;
		for (let minute = 0; minute < 60; minute++) {
			state = after(state, attempted("busy"), { ...context, now: NOW + minute * 60_000 });
			expect(state).toMatchObject({ phase: "pending", spent: 0, busy: { since: NOW } });
		}
		state = after(state, attempted("busy"), { ...context, now: NOW + 3_600_000 });
		expect(state).toMatchObject({ phase: "pending", spent: 1, busy: null });
	});

	test.each<Attempted["outcome"]>(["unauthorized", "quota"])(
		"are counted anew behind a pause for %s, however long somebody took to resume",
		(outcome) => {
			const paused = after(after(pending, attempted("busy")), attempted(outcome));
			const later = { ...context, now: NOW + 7_200_000 };
			expect(after(paused, attempted("busy"), later)).toMatchObject({
				spent: 0,
				busy: { count: 1, since: later.now },
			});
		},
	);

	test("wait at least as long as the endpoint asked", () => {
		const state = waits(pending, attempted("busy", { retryAfterMs: 120_000 }));
		expect(state.dueAt).toBeGreaterThanOrEqual(NOW + 120_000);
	});

	test("that speak for the endpoint leave the waiting to its gates", () => {
		const state = waits(pending, attempted("busy", { scope: "endpoint" }));
		expect(state).toMatchObject({ dueAt: NOW, spent: 0, busy: { count: 1, since: NOW } });
	});

	test("cost an attempt after all when the delivery is to blame, but only while they are its last word", () => {
		const busy = after(pending, attempted("busy", { scope: "endpoint" }));
		const blamed = { kind: "blamed", retry } as const;
		expect(after(busy, blamed)).toMatchObject({ spent: 1, busy: null, dueAt: NOW + 5_000 });
		expect(apply(pending, blamed, context)).toEqual({ unexpected: true });
	});

	test("are counted from zero after another response", () => {
		const busy = after(pending, attempted("busy"));
		expect(after(busy, attempted("error"))).toMatchObject({ busy: null });
	});
});

describe("a result event", () => {
	const answer = attempted("done", { publishes: true });

	test("keeps the delivery until the queue has it", () => {
		const waiting = after(pending, answer);
		expect(waiting).toEqual(publishing);
		expect(after(waiting, { kind: "published" })).toEqual(succeeded);
	});

	test("that the queue refuses is offered again", () => {
		expect(after(publishing, { kind: "publish_failed" })).toEqual({ ...publishing, dueAt: NOW + 5_000 });
	});

	test("is kept when somebody asks for a retry meanwhile", () => {
		const waiting: DeliveryState = { ...publishing, dueAt: NOW + 5_000 };
		expect(after(waiting, { kind: "retry_asked", publishes: true })).toEqual(publishing);
	});

	test("whose transform failed earlier continues as if the model had responded now", () => {
		expect(after(pending, { kind: "resumed", publishes: true })).toEqual(publishing);
		expect(after(pending, { kind: "resumed", publishes: false })).toEqual(succeeded);
	});
});

describe("a person", () => {
	test("may send a dead delivery again, with a whole new schedule", () => {
		const over = after({ ...pending, spent: 2 }, attempted("error"));
		expect(after(over, { kind: "retry_asked", publishes: false })).toEqual(fresh(NOW));
	});

	test("does not call the model twice: an output that was canceled before it was published is published", () => {
		const stopped = after(publishing, { kind: "cancel_asked" });
		expect(after(stopped, { kind: "retry_asked", publishes: true })).toEqual(publishing);
	});

	test("may cancel an unfinished delivery", () => {
		expect(after(pending, { kind: "cancel_asked" })).toEqual(canceled);
	});
});

test("a delivery that is brought forward is due at once, and never later than before", () => {
	const parked = { ...pending, spent: 1, dueAt: NOW + 60_000 };
	expect(after(parked, { kind: "brought_forward" })).toEqual({ ...parked, dueAt: NOW });
	const due = { ...pending, dueAt: NOW - 1 };
	expect(after(due, { kind: "brought_forward" })).toEqual(due);
});

test("a delivery that cannot be sent now is postponed for a minute, with a reason and at no cost", () => {
	const busy: Pending = { ...pending, spent: 1, busy: { count: 3, since: NOW - 5 } };
	const waiting = waits(busy, { kind: "put_off", detail: "not there" });
	expect(waiting).toEqual({ ...busy, detail: "not there", dueAt: NOW + 60_000 });
	expect(waits(waiting, attempted("busy")).detail).toBeNull();
});

test("a delivery that can never be sent ends dead with its reason", () => {
	const event: DeliveryEvent = { kind: "impossible", reason: "transform_failed", detail: "no value" };
	expect(after(pending, event)).toEqual(dead("transform_failed", "no value"));
});

describe("a job", () => {
	const accepted = {
		kind: "accepted",
		handle: "job-1",
		attempt: 1,
		deadlineMs: 60_000,
		polls: true,
		retryAfterMs: null,
	} as const;

	test("is asked for after 1 s, and spends nothing by having begun", () => {
		expect(after({ ...pending, spent: 1 }, accepted)).toEqual({
			phase: "waiting",
			dueAt: NOW + 1_000,
			spent: 1,
			job: { handle: "job-1", attempt: 1, isPolled: true, polls: 0, deadlineAt: NOW + 60_000 },
		});
	});

	test("that is not asked for is looked at when its deadline comes", () => {
		expect(after(pending, { ...accepted, polls: false })).toMatchObject({ dueAt: NOW + 60_000 });
	});

	test("is asked for again after 2, 4, 8 … 60 s, and never later than at its deadline", () => {
		let state = after(pending, { ...accepted, deadlineMs: 300_000 });
		const waits: number[] = [];
		let now = NOW;
		for (let polls = 0; polls < 12 && "dueAt" in state; polls++) {
			waits.push((state.dueAt - now) / 1000);
			now = state.dueAt;
			state = after(state, { kind: "still_running", retryAfterMs: null, polls: true }, { now, random: 0.5 });
		}
		expect(waits.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
		expect(now).toBe(NOW + 300_000);
	});

	test("is asked for when the server wants it to be", () => {
		const asked = { kind: "still_running", retryAfterMs: 20_000, polls: true } as const;
		expect(after(waiting, asked)).toMatchObject({ dueAt: NOW + 22_000, job: { polls: 1 } });
	});

	test.each<[Attempted["outcome"], Partial<DeliveryState>]>([
		["done", { phase: "succeeded" }],
		["error", { phase: "pending", spent: 2, dueAt: NOW + 300_000 }],
		["bad_input", { phase: "dead", reason: "rejected" }],
		["busy", { phase: "pending", spent: 1 }],
	])("that ends with %s ends the attempt that began it", (outcome, state) => {
		expect(after(waiting, attempted(outcome))).toMatchObject(state);
	});

	test("whose deadline passes costs an attempt, and the last of them the delivery", () => {
		const late: Waiting = { ...waiting, job: { ...waiting.job, deadlineAt: NOW } };
		const passed = { kind: "deadline_passed", retry } as const;
		expect(after(late, passed)).toMatchObject({ phase: "pending", spent: 2, dueAt: NOW + 300_000 });
		expect(after({ ...late, spent: 2 }, passed)).toMatchObject({ phase: "dead", reason: "deadline" });
	});
});
