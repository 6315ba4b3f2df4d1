/** What an operator may do with a delivery: retry it, or cancel it. Decides, and writes nothing. */
import type { Change } from "../records.ts";
import { withRetryAsked } from "./attempts.ts";
import type { Delivery } from "./delivery.ts";
import { apply } from "./lifecycle.ts";
import type { Context, DeliveryEvent } from "./delivery-event.ts";

export type Refused = Extract<Change, { ok: false }>;

/** Returns the delivery after a retry; it keeps its id and its attempts. */
export function retried(delivery: Delivery, context: Context): Delivery | Refused {
	const { resultEvent, state } = delivery;
	// If its transform failed, the subscription is applied again.
	const publishes = resultEvent !== null && !(state.phase === "dead" && state.reason === "transform_failed");
	const after = changed(delivery, { kind: "retry_asked", publishes }, context);
	if ("ok" in after) return after;
	return { ...after, attempts: withRetryAsked(delivery.attempts) };
}

export function canceled(delivery: Delivery, context: Context): Delivery | Refused {
	return changed(delivery, { kind: "cancel_asked" }, context);
}

function changed(delivery: Delivery, asked: DeliveryEvent, context: Context): Delivery | Refused {
	const { state, event } = delivery;
	if (state.phase === "dead" && state.reason === "unreadable" && event === null) {
		return { ok: false, code: "unreadable" };
	}
	const applied = apply(state, asked, context);
	if ("unexpected" in applied) {
		return { ok: false, code: state.phase === "succeeded" ? "already_succeeded" : "already_finished" };
	}
	return { ...delivery, state: applied.state };
}
