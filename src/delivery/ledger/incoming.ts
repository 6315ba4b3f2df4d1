/** Deliveries on their way into a dispatcher. Shapes only. */
import type { Decision, SluiceEvent } from "../../events/event.ts";

/** A delivery on its way in: which event, by which decision, at which position. */
export interface Incoming {
	position: number;
	event: SluiceEvent;
	decision: Decision;
}

/** Deliveries of one event to this endpoint. */
export interface IncomingEvent {
	event: SluiceEvent;
	decisions: Decision[];
	/** When the event log first had the event, where it has come before: its deliveries may be here already. */
	storedAt?: number;
}
