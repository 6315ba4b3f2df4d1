/** A delivery that did not fit in its dispatcher, as the API shows it. Pure. */
import { refusedBy } from "../../../events/decision.ts";
import type { Decision } from "../../../events/event.ts";
import { timeOfPosition } from "../../../events/position.ts";
import type { Delivery } from "../../rules/delivery.ts";

/** The record that is kept; the event itself is in the event log. */
export interface RefusedEntry {
	/**
	 * In the dispatcher, or in the event log if the dispatcher has deleted its record.
	 */
	position: number;
	eventId: string;
	decision: Decision;
	/** Of the event; absent if it has none, or if an earlier release refused it. */
	subject?: string;
	/** Of the event; also absent if it equals the event's own id. */
	correlationId?: string;
}

const DETAIL =
	"Too many deliveries were waiting for the endpoint. This one can be retried while its event is kept, which is 7 days.";

/** Dead with reason `backlog_full`, without its event. */
export function refusedDelivery({
	position,
	eventId,
	decision,
}: Pick<RefusedEntry, "position" | "eventId" | "decision">): Delivery {
	return {
		position,
		id: decision.deliveryId,
		eventId,
		subscriptionId: decision.subscriptionId,
		subscriptionName: decision.subscriptionName,
		endpointRef: decision.endpointRef,
		state: { phase: "dead", reason: "backlog_full", detail: DETAIL, finishedAt: timeOfPosition(position) },
		refused: refusedBy(decision),
		budget: decision.budget ?? null,
		attempts: [],
		event: null,
		result: null,
		resultOmitted: null,
		resultEvent: null,
		resultEventId: null,
	};
}

/** Whether its event has to be read from the event log before it can be sent. */
export function isRefused({ state, event }: Delivery): boolean {
	return state.phase === "dead" && state.reason === "backlog_full" && event === null;
}
