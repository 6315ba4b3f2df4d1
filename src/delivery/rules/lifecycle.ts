/**
 * The life of a delivery, as one function from (state, event, now) to (state, signals). Pure: no
 * clock, no storage, no fetch; randomness is an argument.
 */
import type { RetryPolicy } from "../../store/records.ts";
import type { DeadReason } from "../records.ts";
import type { Outcome, Scope } from "./attempt.ts";
import { busyDelay, nextAttemptDelay } from "./schedule.ts";
import { type DeliveryState, fresh, type Pending, type Waiting } from "./state.ts";

/** How an attempt ended, or the job that it started. */
export interface Attempted {
	kind: "attempted";
	outcome: Exclude<Outcome, "accepted">;
	scope: Scope;
	retryAfterMs: number | null;
	/** The subscription makes a result event from the output. */
	publishes: boolean;
	retry: RetryPolicy;
}

/** The server has accepted a job. */
export interface Accepted {
	kind: "accepted";
	handle: string | null;
	/** How long to wait for the output, ms. */
	deadlineMs: number;
	/** Whether the server is polled for the output. */
	polls: boolean;
	retryAfterMs: number | null;
}

export type DeliveryEvent =
	| Attempted
	| Accepted
	/** The server was polled for the output of a job and does not have it yet. */
	| { kind: "still_running"; retryAfterMs: number | null; polls: boolean }
	/** The output of a job did not arrive in time. */
	| { kind: "deadline_passed"; retry: RetryPolicy }
	/** The output of an earlier attempt has now been transformed. */
	| { kind: "resumed"; publishes: boolean }
	/**
	 * Another delivery succeeded after this one alone had failed: the failure was its own, and costs
	 * an attempt.
	 */
	| { kind: "blamed"; retry: RetryPolicy }
	/** It is due at once: its endpoint has been repaired, or the exchange that carried it was lost. */
	| { kind: "brought_forward" }
	/**
	 * It cannot be sent now, through no fault of its own or of the endpoint: it is checked again
	 * later.
	 */
	| { kind: "put_off"; detail: string }
	/** It cannot be sent, or its result event cannot be published, now or later. */
	| { kind: "impossible"; reason: DeadReason; detail: string }
	/** The queue accepted the result event, or refused it. */
	| { kind: "published" }
	| { kind: "publish_failed" }
	/** `publishes`: the output has arrived, and only its result event is owed. */
	| { kind: "retry_asked"; publishes: boolean }
	| { kind: "cancel_asked" };

/** Effects beyond this delivery. */
export type Signal =
	/** Stop sending to the endpoint and keep the backlog. */
	{ kind: "pause"; reason: "unauthorized" | "quota" } | { kind: "disable"; reason: "gone" };

export interface Context {
	now: number;
	/** From 0 to 1. */
	random: number;
}

/**
 * `unexpected`: the event does not fit the state, for example because it is late; the state does
 * not change.
 */
export type Applied = { state: DeliveryState; signals: readonly Signal[] } | { unexpected: true };

/** Wait before a result event that the queue refused is offered again, ms. */
const PUBLISH_AGAIN_MS = 5_000;
/** Wait before a delivery that was put off is checked again, ms. */
const LOOK_AGAIN_MS = 60_000;

const UNEXPECTED = { unexpected: true } as const;

export function apply(state: DeliveryState, event: DeliveryEvent, context: Context): Applied {
	switch (state.phase) {
		case "pending":
			return whilePending(state, event, context);
		case "waiting":
			return whileWaiting(state, event, context);
		case "publishing":
			return whilePublishing(event, context);
		case "dead":
		case "canceled":
			return event.kind === "retry_asked" ? to(anew(event.publishes, context)) : UNEXPECTED;
		case "succeeded":
			return UNEXPECTED;
	}
}

function whilePending(state: Pending, event: DeliveryEvent, context: Context): Applied {
	const { now } = context;
	switch (event.kind) {
		case "attempted":
			// The reason for putting it off no longer applies.
			return afterAttempt({ ...state, detail: null }, event, context);
		case "accepted":
			return to(waiting(state.spent, event, context));
		case "resumed":
			return to(afterDone(event.publishes, context));
		case "blamed":
			// Without a busy response it has been sent again since, and its attempt has been
			// counted.
			return state.busy === null ? UNEXPECTED : to(spend(state, event.retry, null, context));
		case "brought_forward":
			return to({ ...state, dueAt: Math.min(state.dueAt, now) });
		case "put_off":
			return to({ ...state, detail: event.detail, dueAt: now + LOOK_AGAIN_MS });
		case "impossible":
			return to(dead(event.reason, event.detail, context));
		case "retry_asked":
			return to(anew(event.publishes, context));
		case "cancel_asked":
			return to({ phase: "canceled", finishedAt: now });
		case "still_running":
		case "deadline_passed":
		case "published":
		case "publish_failed":
			return UNEXPECTED;
	}
}

function whileWaiting(state: Waiting, event: DeliveryEvent, context: Context): Applied {
	const { now } = context;
	switch (event.kind) {
		case "attempted":
			return afterAttempt({ ...fresh(now), spent: state.spent }, event, context);
		case "still_running":
			return to(askedAgain(state, event, context));
		case "deadline_passed": {
			const { deadlineAt } = state.job;
			if (deadlineAt > now) return UNEXPECTED;
			const next = spend({ ...fresh(now), spent: state.spent }, event.retry, null, context);
			const detail = `The output did not come by ${new Date(deadlineAt).toISOString()}.`;
			return to(next.phase === "dead" ? dead("deadline", detail, context) : next);
		}
		case "put_off":
			return to({ ...state, dueAt: now + LOOK_AGAIN_MS });
		case "impossible":
			return to(dead(event.reason, event.detail, context));
		case "retry_asked":
			return to(anew(event.publishes, context));
		case "cancel_asked":
			return to({ phase: "canceled", finishedAt: now });
		case "accepted":
		case "resumed":
		case "blamed":
		case "brought_forward":
		case "published":
		case "publish_failed":
			return UNEXPECTED;
	}
}

function whilePublishing(event: DeliveryEvent, context: Context): Applied {
	const { now } = context;
	switch (event.kind) {
		case "published":
			return to({ phase: "succeeded", finishedAt: now });
		case "publish_failed":
			return to({ phase: "publishing", dueAt: now + PUBLISH_AGAIN_MS });
		case "impossible":
			return to(dead(event.reason, event.detail, context));
		case "retry_asked":
			return to(anew(event.publishes, context));
		case "cancel_asked":
			return to({ phase: "canceled", finishedAt: now });
		case "attempted":
		case "accepted":
		case "still_running":
		case "deadline_passed":
		case "resumed":
		case "blamed":
		case "brought_forward":
		case "put_off":
			return UNEXPECTED;
	}
}

function to(state: DeliveryState, ...signals: Signal[]): Applied {
	return { state, signals };
}

/**
 * A whole new schedule: the operator has repaired something. The model is not called again if its
 * output has arrived.
 */
function anew(publishes: boolean, { now }: Context): DeliveryState {
	return publishes ? { phase: "publishing", dueAt: now } : fresh(now);
}

/**
 * It has succeeded only when the queue has accepted the result event; until then the output stays
 * with the delivery.
 */
function afterDone(publishes: boolean, { now }: Context): DeliveryState {
	return publishes ? { phase: "publishing", dueAt: now } : { phase: "succeeded", finishedAt: now };
}

/**
 * Nothing is spent while the job runs: only its end decides what the attempt was.
 */
function waiting(spent: number, accepted: Accepted, context: Context): Waiting {
	const { handle, deadlineMs } = accepted;
	const job = { handle, isPolled: accepted.polls, polls: 0, deadlineAt: context.now + deadlineMs };
	return { phase: "waiting", spent, job, dueAt: nextLook(job, accepted, context) };
}

function askedAgain(
	state: Waiting,
	asked: { retryAfterMs: number | null; polls: boolean },
	context: Context,
): Waiting {
	const job = { ...state.job, polls: state.job.polls + 1 };
	return { ...state, job, dueAt: nextLook(job, asked, context) };
}

/** When a waiting delivery is checked: at the next poll, or at the deadline. */
function nextLook(
	{ polls: count, deadlineAt }: Waiting["job"],
	{ retryAfterMs, polls }: { retryAfterMs: number | null; polls: boolean },
	{ now, random }: Context,
): number {
	if (!polls) return deadlineAt;
	// A job that still runs is asked for as a busy endpoint is: after 1, 2, 4 … 60 s.
	return Math.min(now + busyDelay({ busyCount: count, retryAfterMs, random }), deadlineAt);
}

function afterAttempt(state: Pending, attempt: Attempted, context: Context): Applied {
	switch (attempt.outcome) {
		case "done":
			return to(afterDone(attempt.publishes, context));
		case "busy":
			return to(afterBusy(state, attempt, context));
		case "error":
			return to(spend(state, attempt.retry, attempt.retryAfterMs, context));
		case "bad_input":
			return to(dead("rejected", null, context));
		case "unauthorized":
		case "quota":
			// Due at once, but the pause holds it back: no attempt is spent on something that only the
			// operator can fix.
			return to({ ...state, busy: null, dueAt: context.now }, { kind: "pause", reason: attempt.outcome });
		case "gone":
			return to(dead("gone", null, context), { kind: "disable", reason: "gone" });
	}
}

/** Parks the delivery; an attempt is spent only if the endpoint has been busy for too long. */
function afterBusy(state: Pending, attempt: Attempted, context: Context): DeliveryState {
	const { now, random } = context;
	const { scope, retryAfterMs, retry } = attempt;
	const { count, since } = state.busy ?? { count: 0, since: now };
	if (now - since >= retry.busyMaxWaitSeconds * 1000) return spend(state, retry, retryAfterMs, context);
	// Conditions of the whole endpoint are waited for at its gates; the delivery is ready when they
	// open.
	const delay = scope === "endpoint" ? 0 : busyDelay({ busyCount: count, retryAfterMs, random });
	return { ...state, busy: { count: count + 1, since }, dueAt: now + delay };
}

/**
 * Spends one attempt of the schedule: the next one becomes due, or there is none left.
 */
function spend(
	state: Pending,
	{ scheduleSeconds }: RetryPolicy,
	retryAfterMs: number | null,
	context: Context,
): DeliveryState {
	const spent = state.spent + 1;
	const delay = nextAttemptDelay({ spent, scheduleSeconds, retryAfterMs, random: context.random });
	return delay === null
		? dead("exhausted", null, context)
		: { ...state, spent, busy: null, dueAt: context.now + delay };
}

function dead(reason: DeadReason, detail: string | null, { now }: Context): DeliveryState {
	return { phase: "dead", reason, detail, finishedAt: now };
}
