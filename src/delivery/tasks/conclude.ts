/**
 * What the end of an attempt, or of the job that it started, means for a delivery: the output, its
 * result event, and the next state. No I/O except the subscription's transform.
 */
import type { SluiceEvent } from "../../events/event.ts";
import type { ModelOutput, Reading } from "../../models/exchange.ts";
import { buildResultEvent } from "../../results/result-event.ts";
import type { ReadableEndpoint, Subscription } from "../../store/records.ts";
import { maskOutput } from "../exchange/masking/mask-output.ts";
import { reportedBy } from "../exchange/response/reported.ts";
import { secretsOfExchange } from "../exchange/masking/secrets-in.ts";
import type { Result } from "../records.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import type { Verdict } from "../rules/classify.ts";
import { advance, type Advanced, type Delivery } from "../rules/delivery.ts";
import type { DeliveryEvent } from "../rules/delivery-event.ts";
import { transformResult } from "./result-transform.ts";

export interface Concluding {
	/** The ended attempt is among its attempts. */
	delivery: Delivery;
	endpoint: ReadableEndpoint;
	subscription: Subscription;
	result: AttemptResult;
	/** What the protocol reads in the response; null if it was not asked. */
	said: Reading | null;
	/**
	 * Masked in everything that the server returns; null: no callback URL was sent.
	 */
	callbackToken: string | null;
	/** ms since the epoch. */
	now: number;
	/** From 0 to 1. */
	random: number;
}

/**
 * `error` says what went wrong, in words. The verdict must not be `accepted`, because a started job
 * ends nothing.
 */
export async function conclude(
	concluding: Concluding,
	verdict: Verdict,
	error: string | null,
): Promise<Advanced> {
	const { subscription, endpoint, now, random } = concluding;
	const after = { ...concluding.delivery };
	const context = { now, random };
	const { outcome, scope, retryAfterMs } = verdict;
	if (outcome === "accepted") throw new Error("an accepted job has not ended yet");
	if (verdict.result === "too_large") {
		if (subscription.result !== null) return advance(after, resultTooLarge(error), context);
		after.resultOmitted = "too_large";
	}
	const output = verdict.result === "body" ? outputOf(concluding) : null;
	if (output !== null) {
		after.result = resultOf(output);
		after.resultEvent = resultEventOf(concluding, output);
		const transformed = await transformResult(after, subscription);
		if (!transformed.ok) return advance(after, transformFailed(transformed.message), context);
		after.resultEvent = transformed.event;
	}
	const publishes = after.resultEvent !== null;
	const { retry } = endpoint;
	return advance(after, { kind: "attempted", outcome, scope, retryAfterMs, publishes, retry }, context);
}

/**
 * Continues with an output whose transform failed earlier, without calling the model again. `now`
 * in ms.
 */
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

/** Every credential that the server was given. */
export function secretsOf({
	endpoint,
	result,
	callbackToken,
}: Pick<Concluding, "endpoint" | "result" | "callbackToken">): readonly string[] {
	const secrets = secretsOfExchange(endpoint, result);
	return callbackToken === null ? secrets : [...secrets, callbackToken];
}

/**
 * The output as its protocol reads it, with any credentials that it repeats masked.
 */
function outputOf(concluding: Concluding): ModelOutput {
	const { said } = concluding;
	return said === null ? null : maskOutput(said.output, secretsOf(concluding));
}

function resultTooLarge(error: string | null): DeliveryEvent {
	return { kind: "impossible", reason: "too_large", detail: `There is no result: ${error ?? ""}` };
}

function transformFailed(message: string): DeliveryEvent {
	const detail = `The transform of the result failed: ${message}`;
	return { kind: "impossible", reason: "transform_failed", detail };
}

function resultOf(output: NonNullable<ModelOutput>): Result | null {
	if (output.kind === "data") return { data: output.data, contentType: output.contentType };
	const contentType = output.attributes.datacontenttype ?? "application/json";
	return output.data === null ? null : { data: output.data, contentType };
}

/**
 * The event made from the output, before its transform; null if the subscription publishes none.
 */
function resultEventOf(concluding: Concluding, output: NonNullable<ModelOutput>): SluiceEvent | null {
	const { delivery, endpoint, subscription, now } = concluding;
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
		reported: reportedBy(concluding.said, concluding.result, secretsOf(concluding)),
		now,
	});
}
