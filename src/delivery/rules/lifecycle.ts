/**
 * The life of a delivery, as one function from (state, event, now) to (state, signals). Pure: no clock, no storage, no
 * fetch; randomness is an argument. next-state.ts defines what the states contain.
 */
import type { Attempted, Context, DeliveryEvent, Signal } from "./delivery-event.ts";
import { afterBusy, afterDone, anew, askedAgain, dead, spend, waiting } from "./next-state.ts";
import { type DeliveryState, fresh, type Pending, type Waiting } from "./state.ts";

/**
 * `unexpected`: the event does not fit the state, for example because it is late; the state does
 * not change.
 */
export type Applied = { state: DeliveryState; signals: readonly Signal[] } | { unexpected: true };

/** The delay before a result event that the queue refused is offered again, ms. */
const PUBLISH_AGAIN_MS = 5_000;
/** The delay before a postponed delivery is checked again, ms. */
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
			// The reason for postponing it no longer applies.
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
			const detail = `The output did not arrive by ${new Date(deadlineAt).toISOString()}.`;
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
