/** Converts a delivery to the record that the API returns. Pure. */
import { endpointIdOf } from "../events/ids.ts";
import { timeOfPosition } from "../events/position.ts";
import type { DeliveryRecord } from "./records.ts";
import { deadDetail } from "./rules/dead-detail.ts";
import type { Delivery } from "./rules/delivery.ts";

export function toRecord(delivery: Delivery, inFlight: boolean): DeliveryRecord {
	const { state } = delivery;
	return {
		position: delivery.position,
		id: delivery.id,
		eventId: delivery.eventId,
		subscriptionId: delivery.subscriptionId,
		subscriptionName: delivery.subscriptionName,
		endpointId: endpointIdOf(delivery.id) ?? "",
		endpointRef: delivery.endpointRef,
		status: inFlight ? "in_flight" : state.phase,
		reason: state.phase === "dead" ? state.reason : null,
		detail: detailOf(delivery),
		attempts: delivery.attempts,
		nextAttemptAt: inFlight || !("dueAt" in state) || state.phase === "waiting" ? null : state.dueAt,
		deadlineAt: state.phase === "waiting" ? state.job.deadlineAt : null,
		blockedBy: null,
		blockedUntil: null,
		createdAt: timeOfPosition(delivery.position),
		finishedAt: "finishedAt" in state ? state.finishedAt : null,
		result: delivery.result,
		resultOmitted: delivery.resultOmitted,
		resultEventId: delivery.resultEventId,
	};
}

function detailOf({ state, attempts }: Delivery): string | null {
	if (!("detail" in state)) return null;
	return state.detail ?? (state.phase === "dead" ? deadDetail(state.reason, attempts) : null);
}
