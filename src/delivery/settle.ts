/**
 * What one attempt leaves behind: the attempt's record, the answer, the result event it becomes, and the next
 * state of the delivery. No I/O.
 */
import { exactDocumentOf, exactValueOf } from "../events/document.ts";
import type { SluiceEvent } from "../events/event.ts";
import { evaluateToJson } from "../events/expression.ts";
import type { ModelOutput } from "../models/protocol.ts";
import { protocols } from "../models/registry.ts";
import { buildResultEvent } from "../results/result-event.ts";
import type { Endpoint, Subscription } from "../store/records.ts";
import type { AttemptResult, Outcome } from "./attempt.ts";
import { keepAttempts, nextNumber } from "./attempts.ts";
import { classify } from "./classify.ts";
import type { Delivery } from "./delivery-row.ts";
import { excerpt } from "./excerpt.ts";
import { step, type Effect } from "./lifecycle.ts";
import type { Attempt, Result } from "./records.ts";
import { secretsIn } from "./request.ts";
import { readRetryAfter } from "./retry-after.ts";

export interface Tried {
	delivery: Delivery;
	endpoint: Endpoint;
	subscription: Subscription;
	result: AttemptResult;
	/** When the attempt began, and now; ms since the epoch. */
	startedAt: number;
	now: number;
	/** From 0 to 1. */
	random: number;
}

/** `delivery` is as it will be, not yet written. */
export interface Settlement {
	delivery: Delivery;
	outcome: Outcome;
	effects: Effect[];
}

export async function settle(tried: Tried): Promise<Settlement> {
	const { delivery, endpoint, result, now, random } = tried;
	const outcome = classify(result, {
		statuses: endpoint.retry.statuses,
		busyStatuses: endpoint.retry.busyStatuses,
		coldStart: isColdStart(tried),
	});
	const attempt = recordOf(tried, outcome);
	const answered = { ...delivery, attempts: keepAttempts([...delivery.attempts, attempt]) };
	const context = { now, random };
	const output =
		outcome === "done" && result.kind === "response"
			? (protocols[endpoint.protocol]?.readAnswer(result) ?? null)
			: null;
	if (output !== null) {
		answered.result = resultOf(output);
		const published = await toResultEvent(tried, output);
		if (!published.ok) {
			const detail = `The transform of the result failed: ${published.message}`;
			const { state } = step(
				delivery.state,
				{ kind: "impossible", reason: "transform_failed", detail },
				context,
			);
			return { delivery: { ...answered, state }, outcome, effects: [] };
		}
		answered.resultEvent = published.event;
	}
	const { state, effects } = step(
		delivery.state,
		{
			kind: "answered",
			outcome,
			status: attempt.statusCode,
			retryAfterMs: result.kind === "response" ? readRetryAfter(result.headers, now) : null,
			publishes: answered.resultEvent !== null,
			retry: endpoint.retry,
		},
		context,
	);
	return { delivery: { ...answered, state }, outcome, effects };
}

/** Counted from the first try of this delivery: a model that is waking up gets this long. */
function isColdStart({ delivery, endpoint, startedAt, now }: Tried): boolean {
	const firstTryAt = delivery.attempts[0]?.at ?? startedAt;
	return now - firstTryAt < endpoint.retry.coldStartSeconds * 1000;
}

function recordOf({ delivery, endpoint, result, startedAt }: Tried, outcome: Outcome): Attempt {
	const answered = result.kind === "response";
	return {
		number: nextNumber(delivery.attempts),
		at: startedAt,
		durationMs: result.durationMs,
		statusCode: answered ? result.status : null,
		outcome,
		error: answered ? null : `${result.error}: ${result.message}`,
		excerpt: answered ? excerpt(result, secretsIn(endpoint)) : null,
	};
}

function resultOf(output: NonNullable<ModelOutput>): Result | null {
	if (output.kind === "data") return { data: output.data, contentType: output.contentType };
	const contentType = output.attributes.datacontenttype ?? "application/json";
	return output.data === null ? null : { data: output.data, contentType };
}

type Published = { ok: true; event: SluiceEvent | null } | { ok: false; message: string };

/** The event that the answer becomes; null when the subscription publishes none. */
async function toResultEvent(tried: Tried, output: NonNullable<ModelOutput>): Promise<Published> {
	const { delivery, endpoint, subscription, now } = tried;
	const policy = subscription.result;
	const parent = delivery.event;
	if (policy === null || parent === null) return { ok: true, event: null };
	const event = buildResultEvent({
		parent,
		deliveryId: delivery.id,
		subscriptionId: subscription.id,
		endpointName: endpoint.name,
		endpointRef: delivery.endpointRef,
		policy,
		output,
		now,
	});
	if (policy.transform === null) return { ok: true, event };
	const result = output.data === null ? null : exactValueOf(output.data);
	const transformed = await evaluateToJson(policy.transform, { event: exactDocumentOf(parent), result });
	if (!transformed.ok) return transformed;
	event.data = { kind: "json", text: transformed.json };
	event.attributes.datacontenttype = "application/json";
	return { ok: true, event };
}
