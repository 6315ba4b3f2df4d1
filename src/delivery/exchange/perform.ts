/**
 * One attempt: shape the input, build and sign the request, send it. What the outcome means for the delivery is
 * not decided here.
 */
import { exactDocumentOf } from "../../events/cloudevents/document.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { jsonOf, type JsonEvaluation } from "../../events/expressions/expression.ts";
import { evaluateOwned } from "../../events/expressions/quarantine.ts";
import { protocolOf } from "../../models/registry.ts";
import type { ReadableEndpoint, Subscription } from "../../store/records.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import type { DeadReason } from "../records.ts";
import { buildRequest } from "./request.ts";
import { MAX_RESPONSE_BYTES, send } from "./send.ts";
import { refuseAddress } from "./url-guard.ts";

export interface Job {
	deliveryId: string;
	/** From 1. */
	attempt: number;
	event: SluiceEvent;
	endpoint: ReadableEndpoint;
	subscription: Subscription;
	allowPrivate: boolean;
	now: number;
}

export type Performed =
	| { kind: "tried"; result: AttemptResult }
	/** There is nothing that could be sent, and there will not be. */
	| { kind: "impossible"; reason: DeadReason; detail: string };

export async function perform(job: Job): Promise<Performed> {
	const { endpoint, subscription, event, allowPrivate } = job;
	const transformed = await transform(subscription, event);
	if (transformed?.ok === false) {
		const detail = `The transform failed: ${transformed.message}`;
		return { kind: "impossible", reason: "transform_failed", detail };
	}
	// Judged again at every attempt: the rules may have been tightened since the endpoint was registered.
	const refusal = refuseAddress(endpoint.url, { allowPrivate, ownHost: null });
	if (refusal !== null) {
		return {
			kind: "tried",
			result: { kind: "no_response", error: "blocked_url", message: refusal, durationMs: 0 },
		};
	}
	const protocol = protocolOf(endpoint.protocol);
	if (protocol === null) throw new Error(`endpoint ${endpoint.id} speaks an unknown protocol`);
	const request = buildRequest({
		endpoint,
		protocol,
		input: { event, transformed: transformed?.json ?? null },
		deliveryId: job.deliveryId,
		attempt: job.attempt,
		wantsReply: subscription.result !== null,
		now: job.now,
	});
	const result = await send(request, {
		timeoutMs: endpoint.timeoutSeconds * 1000,
		maxBodyBytes: MAX_RESPONSE_BYTES,
	});
	return { kind: "tried", result };
}

/** null: the event itself is sent. */
async function transform(owner: Subscription, event: SluiceEvent): Promise<JsonEvaluation | null> {
	const { transform: source } = owner;
	if (source === null) return null;
	return jsonOf(await evaluateOwned({ owner, field: "transform", source }, () => exactDocumentOf(event)));
}
