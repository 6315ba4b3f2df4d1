/** A request about a job or a model, which carries no event: the protocol's part, the endpoint's credentials, signed. */
import { Buffer } from "node:buffer";
import { liveSecrets, signatureHeaders } from "../../crypto/standard-webhooks.ts";
import { originOf } from "../../models/address.ts";
import type { StepRequest } from "../../models/exchange.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import type { OutgoingRequest } from "../rules/attempt.ts";
import { ownHeaders, USER_AGENT } from "./request.ts";

export interface StepParts {
	endpoint: Pick<ReadableEndpoint, "url" | "auth" | "headers" | "signingSecrets">;
	step: StepRequest;
	/** `dlv_…`; becomes `webhook-id`. */
	deliveryId: string;
	/** ms since the epoch. */
	now: number;
}

/** Throws when the protocol has left the host of its endpoint: a bug, for credentials must not be led away. */
export function buildStepRequest({ endpoint, step, deliveryId, now }: StepParts): OutgoingRequest {
	const { method, url, headers } = step;
	if (originOf(url) !== originOf(endpoint.url))
		throw new Error("a protocol has left the host of its endpoint");
	const body = step.body === null ? null : Buffer.from(step.body);
	return {
		url,
		method,
		headers: {
			"user-agent": USER_AGENT,
			"x-request-id": deliveryId,
			...ownHeaders(endpoint),
			...headers,
			...signatureHeaders({
				id: deliveryId,
				timestampSeconds: Math.floor(now / 1000),
				body: body ?? "",
				secrets: liveSecrets(endpoint.signingSecrets, now),
			}),
		},
		body,
	};
}
