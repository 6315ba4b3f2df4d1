/** A delivery in memory, with everything needed to continue it, and how events change it. Pure. */
import type { Refused } from "../../events/decision.ts";
import type { SluiceEvent } from "../../events/event.ts";
import type { Attempt, Result, ResultOmitted } from "../records.ts";
import { apply } from "./lifecycle.ts";
import type { Context, DeliveryEvent, Signal } from "./delivery-event.ts";
import type { DeliveryState } from "./state.ts";

export interface Delivery {
	position: number;
	id: string;
	eventId: string;
	subscriptionId: string;
	subscriptionName: string;
	endpointRef: string;
	state: DeliveryState;
	/** Routing decided that it must not be sent; an operator may still retry it. */
	refused: Refused | null;
	/** How many requests may result from it; null: the whole budget. */
	budget: number | null;
	attempts: Attempt[];
	/** null once it has succeeded. */
	event: SluiceEvent | null;
	/** The model's output; kept from its arrival, also while its result event waits for the queue. */
	result: Result | null;
	resultOmitted: ResultOmitted | null;
	resultEvent: SluiceEvent | null;
	resultEventId: string | null;
}

export interface Advanced {
	/** Not yet written. */
	delivery: Delivery;
	signals: readonly Signal[];
}

/**
 * Returns the delivery after the event. An event that does not fit, such as a late outcome, leaves
 * it unchanged.
 */
export function advance(delivery: Delivery, event: DeliveryEvent, context: Context): Advanced {
	const applied = apply(delivery.state, event, context);
	return "unexpected" in applied
		? { delivery, signals: [] }
		: { delivery: { ...delivery, state: applied.state }, signals: applied.signals };
}
