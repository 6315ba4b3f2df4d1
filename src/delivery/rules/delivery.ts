/** A delivery in memory, with all that is needed to go on with it, and how it takes what happens to it. Pure. */
import type { Refused } from "../../events/decision.ts";
import type { SluiceEvent } from "../../events/event.ts";
import type { Attempt, Result, ResultOmitted } from "../records.ts";
import { apply, type Context, type DeliveryEvent, type Signal } from "./lifecycle.ts";
import type { DeliveryState } from "./state.ts";

export interface Delivery {
	position: number;
	id: string;
	eventId: string;
	subscriptionId: string;
	subscriptionName: string;
	endpointRef: string;
	state: DeliveryState;
	/** Routing decided that it must not be sent; asked for again by hand, it may. */
	refused: Refused | null;
	/** How many requests may come of it; null: the whole budget. */
	budget: number | null;
	attempts: Attempt[];
	/** null once it has succeeded. */
	event: SluiceEvent | null;
	/** The model's output; kept from the moment it came, also while its result event waits for the queue. */
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

/** The delivery after the event. One that does not fit, as an outcome that comes late, leaves it as it is. */
export function advance(delivery: Delivery, event: DeliveryEvent, context: Context): Advanced {
	const applied = apply(delivery.state, event, context);
	return "unexpected" in applied
		? { delivery, signals: [] }
		: { delivery: { ...delivery, state: applied.state }, signals: applied.signals };
}
