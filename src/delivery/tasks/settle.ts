/**
 * What one attempt leaves behind: the attempt's record, the output, the result event it becomes, and the next
 * state of the delivery. No I/O.
 */
import type { SluiceEvent } from "../../events/event.ts";
import type { ModelOutput, Reading } from "../../models/exchange.ts";
import { protocolOf } from "../../models/registry.ts";
import { buildResultEvent } from "../../results/result-event.ts";
import type { ReadableEndpoint, Subscription } from "../../store/records.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import { recordAttempt } from "../exchange/attempt-record.ts";
import { keepAttempts, nextNumber } from "../rules/attempts.ts";
import { classify } from "../rules/classify.ts";
import { advance, type Delivery } from "../rules/delivery.ts";
import type { DeliveryEvent } from "../rules/lifecycle.ts";
import { isTokenStale, STALE_TOKEN } from "../rules/stale-token.ts";
import type { Ended, Ran } from "./task.ts";

import { maskOutput } from "../exchange/mask-output.ts";
import type { Attempt, Result } from "../records.ts";
import { transformResult } from "./result-transform.ts";
import { secretsOfExchange } from "../exchange/secrets-in.ts";

/** Characters of an error of our own that an attempt keeps. */
export const MAX_ERROR_LENGTH = 500;

export interface Tried {
	delivery: Delivery;
	endpoint: ReadableEndpoint;
	subscription: Subscription;
	result: AttemptResult;
	/** When the attempt began, and now; ms since the epoch. */
	startedAt: number;
	now: number;
	/** From 0 to 1. */
	random: number;
	/** Whether nothing has succeeded at the endpoint since the attempt began. */
	isSilent: boolean;
	/** Whether it had been taken for lost: then only a success counts, and any other end is recorded alone. */
	isLate: boolean;
}

export async function settle(tried: Tried): Promise<Ran> {
	const { delivery, endpoint, result, now, random } = tried;
	const coldStart = isColdStart(tried);
	const said = readResponse(tried, coldStart);
	const rules = {
		statuses: endpoint.retry.statuses,
		busyStatuses: endpoint.retry.busyStatuses,
		coldStart,
		isSilent: tried.isSilent,
		now,
	};
	const verdict = classify(result, rules, said);
	const { outcome, scope, retryAfterMs } = verdict;
	const ended = { outcome, scope, retryAfterMs };
	const isStale = outcome === "unauthorized" && isTokenStale(endpoint.auth, result, delivery.attempts);
	const error = isStale ? STALE_TOKEN : (said?.error ?? null);
	const attempt = recordAttempt(tried, outcome, outcome === "done" ? null : error);
	const after = { ...delivery, attempts: keepAttempts([...delivery.attempts, attempt]) };
	const context = { now, random };
	// The end of another exchange has come before this one, or this one comes after it was given up: it is recorded.
	if (delivery.state.phase !== "pending") return { delivery: after, ended, signals: [] };
	if (tried.isLate && outcome !== "done") return { delivery: after, ended: null, signals: [] };
	if (isStale) return { ...advance(after, { kind: "brought_forward" }, context), ended };
	if (verdict.result === "too_large") {
		if (tried.subscription.result !== null) {
			return { ...advance(after, resultTooLarge(attempt), context), ended };
		}
		after.resultOmitted = "too_large";
	}
	const output = verdict.result === "body" ? outputOf(said, tried) : null;
	if (output !== null) {
		after.result = resultOf(output);
		after.resultEvent = resultEventOf(tried, output);
		const transformed = await transformResult(after, tried.subscription);
		if (!transformed.ok) return { ...advance(after, transformFailed(transformed.message), context), ended };
		after.resultEvent = transformed.event;
	}
	const publishes = after.resultEvent !== null;
	const happened: DeliveryEvent = { kind: "attempted", ...ended, publishes, retry: endpoint.retry };
	return { ...advance(after, happened, context), ended };
}

/**
 * An attempt whose end could not be made sense of, which is a bug of ours. The request has left, so it counts: recorded,
 * spent, and bounded by the schedule as any error is.
 */
export function settleFailed(tried: Tried, error: unknown): Ran {
	const { delivery, endpoint, startedAt, now, random } = tried;
	const attempt: Attempt = {
		number: nextNumber(delivery.attempts),
		at: startedAt,
		durationMs: tried.result.durationMs,
		statusCode: tried.result.kind === "response" ? tried.result.status : null,
		outcome: "error",
		error: `internal: The router could not handle the response: ${String(error)}`.slice(0, MAX_ERROR_LENGTH),
		excerpt: null,
	};
	const ended: Ended = { outcome: "error", scope: "request", retryAfterMs: null };
	const happened: DeliveryEvent = { kind: "attempted", ...ended, publishes: false, retry: endpoint.retry };
	const attempts = keepAttempts([...delivery.attempts, attempt]);
	return { ...advance({ ...delivery, attempts }, happened, { now, random }), ended };
}

/** Goes on with an output whose transform has failed before: the model is not asked again. `now` in ms. */
export async function settleOutput(
	delivery: Delivery,
	subscription: Subscription,
	now: number,
): Promise<Delivery> {
	const transformed = await transformResult(delivery, subscription);
	const context = { now, random: 0 };
	if (!transformed.ok) return advance(delivery, transformFailed(transformed.message), context).delivery;
	const resumed = { ...delivery, resultEvent: transformed.event };
	return advance(resumed, { kind: "resumed", publishes: transformed.event !== null }, context).delivery;
}

/** What the protocol makes of the response; null where there is none, or a 2xx of which a part is missing. */
function readResponse({ endpoint, result }: Tried, isStarting: boolean): Reading | null {
	if (result.kind !== "response") return null;
	const { status, headers, body, failure } = result;
	if (failure !== null && status >= 200 && status < 300) return null;
	return protocolOf(endpoint.protocol)?.read({ status, headers, body, isStarting }) ?? null;
}

/** The output as its protocol reads it, with the credentials that it echoes hidden. */
function outputOf(said: Reading | null, { endpoint, result }: Tried): ModelOutput {
	return said === null ? null : maskOutput(said.output, secretsOfExchange(endpoint, result));
}

function resultTooLarge({ error }: Attempt): DeliveryEvent {
	return { kind: "impossible", reason: "too_large", detail: `There is no result: ${error ?? ""}` };
}

function transformFailed(message: string): DeliveryEvent {
	const detail = `The transform of the result failed: ${message}`;
	return { kind: "impossible", reason: "transform_failed", detail };
}

/** Counted from the first try of this delivery: a model that is waking up gets this long. */
function isColdStart({ delivery, endpoint, startedAt, now }: Tried): boolean {
	const firstTryAt = delivery.attempts[0]?.at ?? startedAt;
	return now - firstTryAt < endpoint.retry.coldStartSeconds * 1000;
}

function resultOf(output: NonNullable<ModelOutput>): Result | null {
	if (output.kind === "data") return { data: output.data, contentType: output.contentType };
	const contentType = output.attributes.datacontenttype ?? "application/json";
	return output.data === null ? null : { data: output.data, contentType };
}

/** The event that the output becomes, before its transform; null when the subscription publishes none. */
function resultEventOf(
	{ delivery, endpoint, subscription, now }: Tried,
	output: NonNullable<ModelOutput>,
): SluiceEvent | null {
	const policy = subscription.result;
	const parent = delivery.event;
	if (policy === null || parent === null) return null;
	return buildResultEvent({
		parent,
		deliveryId: delivery.id,
		subscriptionId: subscription.id,
		budget: delivery.budget,
		endpointId: endpoint.id,
		endpointName: endpoint.name,
		endpointRef: delivery.endpointRef,
		policy,
		output,
		now,
	});
}
