/** A delivery on the wire. */
import { countAttempts } from "../../delivery/rules/attempts.ts";
import type { Attempt, DeliveryRecord } from "../../delivery/records.ts";
import type { Usage } from "../../models/exchange.ts";
import { jsonTextOf, withMember } from "../http/json-members.ts";
import { formatTime } from "../fields/times.ts";

/** Everything except the result, which may be large: lists leave it out. */
export function deliveryToWire(delivery: DeliveryRecord): Record<string, unknown> {
	return {
		id: delivery.id,
		event_id: delivery.eventId,
		subscription_id: delivery.subscriptionId,
		subscription: delivery.subscriptionName,
		endpoint_id: delivery.endpointId,
		endpoint: delivery.endpointRef,
		status: delivery.status,
		reason: delivery.reason,
		detail: delivery.detail,
		attempt_count: countAttempts(delivery.attempts),
		blocked_by: delivery.blockedBy,
		blocked_until: formatTime(delivery.blockedUntil),
		next_attempt_at: formatTime(delivery.nextAttemptAt),
		// A dispatcher of the previous release does not send this field.
		deadline_at: formatTime(delivery.deadlineAt ?? null),
		created_at: formatTime(delivery.createdAt),
		finished_at: formatTime(delivery.finishedAt),
		attempts: delivery.attempts.map(attemptToWire),
		result_event_id: delivery.resultEventId,
		result_omitted: delivery.resultOmitted,
	};
}

/**
 * The whole delivery as JSON text. `result` is the model's own JSON with its spelling unchanged, a
 * string for text, base64 for anything else; `result_type` says which.
 */
export function deliveryJson(delivery: DeliveryRecord): string {
	const { result } = delivery;
	const wire = { ...deliveryToWire(delivery), result_type: result && result.contentType };
	return withMember(wire, "result", result === null ? "null" : jsonTextOf(result.data));
}

function attemptToWire(attempt: Attempt): Record<string, unknown> {
	return {
		number: attempt.number,
		at: formatTime(attempt.at),
		duration_ms: attempt.durationMs,
		status_code: attempt.statusCode,
		outcome: attempt.outcome,
		error: attempt.error,
		response_excerpt: attempt.excerpt,
		usage: attempt.usage === undefined ? null : usageToWire(attempt.usage),
		model_version: attempt.modelVersion ?? null,
		request_id: attempt.requestId ?? null,
		job: attempt.job
			? {
					ended_at: formatTime(attempt.job.at),
					by: attempt.job.by,
					outcome: attempt.job.outcome,
					error: attempt.job.error,
				}
			: null,
	};
}

function usageToWire({ inputTokens, outputTokens, seconds }: Usage): Record<string, number | null> {
	return { input_tokens: inputTokens, output_tokens: outputTokens, seconds };
}
