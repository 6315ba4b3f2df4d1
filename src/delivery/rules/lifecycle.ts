/**
 * The life of a delivery, as one function from (state, what happened, now) to (state, effects). Pure: no clock,
 * no storage, no fetch; randomness is an argument.
 */
import type { RetryPolicy } from "../../store/records.ts";
import type { Outcome, Scope } from "./attempt.ts";
import type { DeadReason, DeliveryState } from "../records.ts";
import { busyDelay, nextAttemptDelay } from "./schedule.ts";

export type Happened =
	/** An attempt came to its end. `publishes`: the subscription makes a result event of the answer. */
	| {
			kind: "answered";
			outcome: Outcome;
			scope: Scope;
			retryAfterMs: number | null;
			publishes: boolean;
			retry: RetryPolicy;
	  }
	/** Another delivery succeeded where this one alone had failed: the failure was its own, and costs an attempt. */
	| { kind: "blamed"; retry: RetryPolicy }
	/** The queue took the result event, or refused it. */
	| { kind: "published" }
	| { kind: "publish_failed" }
	/** It cannot be sent now, for no fault of its own or of the endpoint: it is looked at again later. */
	| { kind: "put_off"; detail: string }
	/** It cannot be sent, now or later. */
	| { kind: "impossible"; reason: DeadReason; detail: string }
	/** `publishes`: the answer is here, and its result event is all that is owed. */
	| { kind: "retry_asked"; publishes: boolean }
	| { kind: "cancel_asked" };

/** What follows for the endpoint, beyond this delivery. */
export type Effect =
	/** Stop sending, keep the backlog. */
	{ kind: "pause"; reason: "unauthorized" | "quota" } | { kind: "disable"; reason: "gone" };

export interface Context {
	now: number;
	/** From 0 to 1. */
	random: number;
}

export interface Step {
	state: DeliveryState;
	effects: Effect[];
}

/** Wait before a result event that the queue refused is offered again, ms. */
const PUBLISH_AGAIN_MS = 5_000;
/** Wait before a delivery that was put off is looked at again, ms. */
const LOOK_AGAIN_MS = 60_000;

export function fresh(dueAt: number): DeliveryState {
	return {
		status: "pending",
		reason: null,
		detail: null,
		spent: 0,
		busyCount: 0,
		busySince: null,
		dueAt,
		finishedAt: null,
	};
}

export function step(state: DeliveryState, happened: Happened, context: Context): Step {
	switch (happened.kind) {
		case "answered":
			// Whatever it was put off for is over.
			return afterAnswer({ ...state, detail: null }, happened, context);
		case "blamed":
			// Sent again, canceled or refused otherwise since: then it has had its due.
			return {
				state: state.busySince === null ? state : spend(state, happened.retry, null, context),
				effects: [],
			};
		case "published":
			return { state: finish(state, "succeeded", null, context), effects: [] };
		case "publish_failed":
			return {
				state: { ...state, status: "publishing", dueAt: context.now + PUBLISH_AGAIN_MS },
				effects: [],
			};
		case "put_off":
			return {
				state: { ...state, status: "pending", detail: happened.detail, dueAt: context.now + LOOK_AGAIN_MS },
				effects: [],
			};
		case "impossible":
			return {
				state: { ...finish(state, "dead", happened.reason, context), detail: happened.detail },
				effects: [],
			};
		case "retry_asked":
			// A whole new schedule: whoever asks has repaired something. What was answered is not asked again.
			return {
				state: { ...fresh(context.now), status: happened.publishes ? "publishing" : "pending" },
				effects: [],
			};
		case "cancel_asked":
			return { state: finish(state, "canceled", null, context), effects: [] };
	}
}

/** Why what a person asks for cannot be done; null when it can, and for everything else that happens. */
export function refuseChange(
	{ status }: DeliveryState,
	{ kind }: Happened,
): "already_succeeded" | "already_finished" | null {
	if (kind !== "retry_asked" && kind !== "cancel_asked") return null;
	if (status === "succeeded") return "already_succeeded";
	const isOver = status === "dead" || status === "canceled";
	return isOver && kind === "cancel_asked" ? "already_finished" : null;
}

type Answered = Extract<Happened, { kind: "answered" }>;

function afterAnswer(state: DeliveryState, answer: Answered, context: Context): Step {
	const { now } = context;
	switch (answer.outcome) {
		case "done":
			// Done only when the queue has the result event; until then the answer waits with the delivery.
			return answer.publishes
				? { state: { ...state, status: "publishing", dueAt: now }, effects: [] }
				: { state: finish(state, "succeeded", null, context), effects: [] };
		case "busy":
			return { state: afterBusy(state, answer, context), effects: [] };
		case "error":
			return { state: spend(state, answer.retry, answer.retryAfterMs, context), effects: [] };
		case "bad_input":
			return {
				state: finish({ ...state, spent: state.spent + 1 }, "dead", "rejected", context),
				effects: [],
			};
		case "unauthorized":
		case "quota":
			// Due at once, but the pause keeps it: no attempt is spent on what only the operator can mend.
			return {
				state: { ...state, status: "pending", busyCount: 0, busySince: null, dueAt: now },
				effects: [{ kind: "pause", reason: answer.outcome }],
			};
		case "gone":
			return {
				state: finish({ ...state, spent: state.spent + 1 }, "dead", "gone", context),
				effects: [{ kind: "disable", reason: "gone" }],
			};
	}
}

/** Parks the delivery; only when the endpoint has been busy for too long does an attempt go. */
function afterBusy(state: DeliveryState, answer: Answered, context: Context): DeliveryState {
	const { now, random } = context;
	const { scope, retryAfterMs, retry } = answer;
	const busySince = state.busySince ?? now;
	if (now - busySince >= retry.busyMaxWaitSeconds * 1000) return spend(state, retry, retryAfterMs, context);
	// What speaks for the endpoint is waited for at its gates; the delivery is ready when they open.
	const delay = scope === "endpoint" ? 0 : busyDelay({ busyCount: state.busyCount, retryAfterMs, random });
	return { ...state, status: "pending", busyCount: state.busyCount + 1, busySince, dueAt: now + delay };
}

/** One attempt of the schedule is gone: the next one is due, or there is none left. */
function spend(
	state: DeliveryState,
	retry: RetryPolicy,
	retryAfterMs: number | null,
	context: Context,
): DeliveryState {
	const spent = state.spent + 1;
	const delay = nextAttemptDelay({
		spent,
		scheduleSeconds: retry.scheduleSeconds,
		retryAfterMs,
		random: context.random,
	});
	const after = { ...state, spent, busyCount: 0, busySince: null };
	return delay === null
		? finish(after, "dead", "exhausted", context)
		: { ...after, status: "pending", dueAt: context.now + delay };
}

function finish(
	state: DeliveryState,
	status: "succeeded" | "dead" | "canceled",
	reason: DeadReason | null,
	{ now }: Context,
): DeliveryState {
	return { ...state, status, reason, detail: null, dueAt: null, finishedAt: now };
}
