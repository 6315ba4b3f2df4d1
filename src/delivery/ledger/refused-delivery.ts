/** A delivery that its dispatcher had no room for, as it is shown. Pure. */
import { refusedBy } from "../../events/decision.ts";
import type { Decision } from "../../events/event.ts";
import { timeOfPosition } from "../../events/position.ts";
import type { Delivery } from "../rules/delivery.ts";

/** What is kept of it; the event itself is in its log. */
export interface RefusedEntry {
	/** Of the dispatcher, or of the event log where the dispatcher has forgotten it. */
	position: number;
	eventId: string;
	decision: Decision;
	/** Of the event; absent where it has none, or an earlier release has refused it. */
	subject?: string;
	/** Likewise, where it is another than the event's own id. */
	correlationId?: string;
}

const DETAIL =
	"Too much was waiting for the endpoint. It can be retried while its event is kept, which is 7 days.";

/** Dead `backlog_full`, without its event. */
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
