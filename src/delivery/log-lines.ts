/** The log lines of a delivery: ids and outcome, never a payload, URL or header. */
import { endpointIdOf } from "../events/ids.ts";
import { log } from "../log.ts";
import type { Delivery } from "./rules/delivery.ts";

export function idsOf(delivery: Delivery): Record<string, string | null> {
	return {
		delivery_id: delivery.id,
		event_id: delivery.eventId,
		subscription_id: delivery.subscriptionId,
		subscription: delivery.subscriptionName,
		endpoint_id: endpointIdOf(delivery.id),
		endpoint: delivery.endpointRef,
	};
}

/** Logs one line for each attempt, and for each step that took no attempt. */
export function logDelivery({ delivery, ended }: { delivery: Delivery; ended: object | null }): void {
	const { state, attempts, resultEventId } = delivery;
	const attempt = ended === null ? undefined : attempts.at(-1);
	log(attempt === undefined ? "delivery.moved" : "delivery.attempted", {
		...idsOf(delivery),
		...(attempt && {
			attempt: attempt.number,
			outcome: attempt.outcome,
			status_code: attempt.statusCode,
			error: attempt.error,
			duration_ms: attempt.durationMs,
		}),
		status: state.phase,
		reason: state.phase === "dead" ? state.reason : null,
		...("detail" in state && state.detail !== null && { detail: state.detail }),
		next_attempt_at: "dueAt" in state ? new Date(state.dueAt).toISOString() : null,
		...(resultEventId !== null && { result_event_id: resultEventId }),
	});
}
