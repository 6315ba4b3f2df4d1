/** The states that a delivery can enter next: what each holds, and when it is due. Pure. */
import type { RetryPolicy } from "../../store/records.ts";
import type { DeadReason } from "../records.ts";
import type { Accepted, Attempted, Context } from "./delivery-event.ts";
import { busyDelay, nextAttemptDelay } from "./schedule.ts";
import { type DeliveryState, fresh, type Pending, type Waiting } from "./state.ts";

/**
 * A whole new schedule: the operator has repaired something. The model is not called again if its
 * output has arrived.
 */
export function anew(publishes: boolean, { now }: Context): DeliveryState {
	return publishes ? { phase: "publishing", dueAt: now } : fresh(now);
}

/**
 * It has succeeded only when the queue has accepted the result event; until then the output stays
 * with the delivery.
 */
export function afterDone(publishes: boolean, { now }: Context): DeliveryState {
	return publishes ? { phase: "publishing", dueAt: now } : { phase: "succeeded", finishedAt: now };
}

/** No attempt is spent while the job runs: only its end decides how the attempt counts. */
export function waiting(spent: number, accepted: Accepted, context: Context): Waiting {
	const { handle, attempt, deadlineMs } = accepted;
	const deadlineAt = context.now + deadlineMs;
	const job = { handle, attempt, isPolled: accepted.polls, polls: 0, deadlineAt };
	return { phase: "waiting", spent, job, dueAt: nextLook(job, accepted, context) };
}

export function askedAgain(
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

/** Parks the delivery; an attempt is spent only if the endpoint has been busy for too long. */
export function afterBusy(state: Pending, attempt: Attempted, context: Context): DeliveryState {
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
export function spend(
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

export function dead(reason: DeadReason, detail: string | null, { now }: Context): DeliveryState {
	return { phase: "dead", reason, detail, finishedAt: now };
}
