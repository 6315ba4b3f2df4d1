/**
 * Prepares the request of one attempt: shapes the input, checks the address and signs the bytes.
 * Nothing is sent here except a request for an access token if the endpoint has none yet.
 */
import { exactDocumentOf } from "../../../events/cloudevents/document.ts";
import type { SluiceEvent } from "../../../events/event.ts";
import { jsonOf, type JsonEvaluation } from "../../../events/expressions/expression.ts";
import { evaluateOwned } from "../../../events/expressions/quarantine.ts";
import { completionOf } from "../../../models/completion.ts";
import { protocolOf } from "../../../models/registry.ts";
import type { ReadableEndpoint, Subscription } from "../../../store/records.ts";
import type { DeadReason } from "../../records.ts";
import type { AttemptResult, OutgoingRequest } from "../../rules/attempt.ts";
import { authorize } from "../credentials/authorize.ts";
import { buildRequest } from "./request.ts";
import { refuseAddress, type UrlRules } from "../addresses/url-guard.ts";

export interface Unprepared {
	deliveryId: string;
	/** The router's name for the job that the attempt begins; absent: the delivery's id. */
	jobId?: string;
	/** From 1. */
	attempt: number;
	/** As `RequestContext` has it. */
	retriedAfter?: number | undefined;
	event: SluiceEvent;
	endpoint: ReadableEndpoint;
	subscription: Subscription;
	/** The lineage header's value, null if the router cannot sign one. */
	lineage: string | null;
	/** Where the server posts the output; null: the endpoint does not complete by callback. */
	callbackUrl: string | null;
	allowPrivate: boolean;
	/** Names of this router. */
	ownHosts: readonly string[];
	/** ms since the epoch. */
	now: number;
	/** Nothing will be sent: no access token is requested, and the request carries none. */
	isPreview?: boolean;
}

export type Prepared =
	| { kind: "ready"; request: OutgoingRequest }
	/** The attempt has ended before anything was sent. */
	| { kind: "ended"; result: AttemptResult }
	/** There is nothing to send, now or later. */
	| { kind: "impossible"; reason: DeadReason; detail: string };

/** Throws what the protocol or the signing throws: a bug, not a bad event. */
export async function prepare(attempt: Unprepared): Promise<Prepared> {
	const { subscription, event } = attempt;
	const transformed = await transform(subscription, event);
	if (transformed?.ok === false) {
		const detail = `The transform failed: ${transformed.message}`;
		return { kind: "impossible", reason: "transform_failed", detail };
	}
	const wantsReply = subscription.result !== null;
	return prepareInput({ ...attempt, transformed: transformed?.json ?? null, wantsReply });
}

/** An attempt whose input is already made. */
export interface InputToSend extends Omit<Unprepared, "subscription"> {
	/** JSON text of the transform's output; null: the event itself is sent. */
	transformed: string | null;
	/** Whether a response that is a CloudEvent will be published as a new event. */
	wantsReply: boolean;
}

/** The steps after the transform. Throws what the protocol or the signing throws. */
export async function prepareInput(attempt: InputToSend): Promise<Prepared> {
	const { endpoint, event, transformed, allowPrivate } = attempt;
	// Checked for every attempt: the rules may have been tightened since the endpoint was registered.
	const rules = { allowPrivate, ownHosts: attempt.ownHosts };
	const refusal = refuseEndpoint(endpoint, rules);
	if (refusal !== null) {
		const result = { kind: "no_response", error: "blocked_url", message: refusal, durationMs: 0 } as const;
		return { kind: "ended", result };
	}
	const protocol = protocolOf(endpoint.protocol);
	if (protocol === null) throw new Error(`endpoint ${endpoint.id} speaks an unknown protocol`);
	const request = buildRequest({
		endpoint,
		protocol,
		input: { event, transformed },
		deliveryId: attempt.deliveryId,
		jobId: attempt.jobId ?? attempt.deliveryId,
		attempt: attempt.attempt,
		retriedAfter: attempt.retriedAfter,
		wantsReply: attempt.wantsReply,
		lineage: attempt.lineage,
		mode: completionOf(endpoint).mode,
		callbackUrl: attempt.callbackUrl,
		now: attempt.now,
	});
	if ("misfit" in request) {
		const detail = `The input does not fit protocol ${endpoint.protocol}: ${request.misfit}`;
		return { kind: "impossible", reason: "transform_failed", detail };
	}
	if (attempt.isPreview === true) return { kind: "ready", request };
	const authorized = await authorize(request, endpoint, { rules, now: attempt.now });
	return "request" in authorized ? { kind: "ready", ...authorized } : { kind: "ended", ...authorized };
}

/**
 * Cached by endpoint object as read, with the rules that were applied: they are the same for
 * thousands of attempts.
 */
const judged = new WeakMap<ReadableEndpoint, UrlRules & { refusal: string | null }>();

function refuseEndpoint(endpoint: ReadableEndpoint, rules: UrlRules): string | null {
	const known = judged.get(endpoint);
	if (known?.ownHosts === rules.ownHosts && known.allowPrivate === rules.allowPrivate) return known.refusal;
	const refusal = refuseAddress(endpoint.url, rules);
	judged.set(endpoint, { ...rules, refusal });
	return refusal;
}

/** null: the event itself is sent. */
async function transform(owner: Subscription, event: SluiceEvent): Promise<JsonEvaluation | null> {
	const { transform: source } = owner;
	if (source === null) return null;
	return jsonOf(await evaluateOwned({ owner, field: "transform", source }, () => exactDocumentOf(event)));
}
