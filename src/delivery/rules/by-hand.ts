/** What a person may ask of a delivery: to be sent again or sooner, or to be canceled. Decides, and writes nothing. */
import type { Delivery } from "../ledger/delivery-row.ts";
import { type Context, type Happened, refuseChange, step } from "./lifecycle.ts";
import type { Change } from "../records.ts";

export type Refused = Extract<Change, { ok: false }>;

/** The delivery as it is after a retry; it keeps its id and its attempts. */
export function retried(delivery: Delivery, context: Context): Delivery | Refused {
	const { resultEvent, state } = delivery;
	// One whose transform failed goes through the subscription once more.
	const publishes = resultEvent !== null && state.reason !== "transform_failed";
	return changed(delivery, { kind: "retry_asked", publishes }, context);
}

export function canceled(delivery: Delivery, context: Context): Delivery | Refused {
	return changed(delivery, { kind: "cancel_asked" }, context);
}

function changed(delivery: Delivery, asked: Happened, context: Context): Delivery | Refused {
	if (delivery.state.reason === "unreadable" && delivery.event === null) {
		return { ok: false, code: "unreadable" };
	}
	const refusal = refuseChange(delivery.state, asked);
	if (refusal !== null) return { ok: false, code: refusal };
	return { ...delivery, state: step(delivery.state, asked, context).state };
}
