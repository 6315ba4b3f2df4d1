/** Deliveries on their way into a dispatcher. Shapes only. */
import type { Decision, SluiceEvent } from "../../../events/event.ts";

/** An incoming delivery: its event, its routing decision and its position. */
export interface Incoming {
	position: number;
	event: SluiceEvent;
	decision: Decision;
}

/** Deliveries of one event to this endpoint. */
export interface IncomingEvent {
	event: SluiceEvent;
	decisions: Decision[];
	/**
	 * When the event log first stored the event, if it has been received before: its deliveries may
	 * already be here.
	 */
	storedAt?: number;
}
