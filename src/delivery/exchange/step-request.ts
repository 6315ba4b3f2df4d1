/**
 * A request about a job or a model, which carries no event: the protocol's part with the endpoint's headers and
 * credentials, under the rules for addresses. One about a delivery is signed as the delivery itself is.
 */
import { Buffer } from "node:buffer";
import { liveSecrets, signatureHeaders } from "../../crypto/standard-webhooks.ts";
import type { Env } from "../../env.ts";
import { originOf } from "../../models/address.ts";
import type { StepRequest } from "../../models/exchange.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import type { AttemptResult, OutgoingRequest } from "../rules/attempt.ts";
import { authorize } from "./authorize.ts";
import { ownHeaders, USER_AGENT } from "./request.ts";
import { refuseAddress } from "./url-guard.ts";

export interface StepParts {
	endpoint: ReadableEndpoint;
	/** Names of this router. */
	ownHosts: readonly string[];
	step: StepRequest;
	/** `dlv_…`; becomes `webhook-id`. null: it is about no delivery, and is not signed. */
	deliveryId: string | null;
	/** ms since the epoch. */
	now: number;
}

/**
 * The request, or how the exchange has ended before anything was sent. Throws when the protocol has left the host of its
 * endpoint: a bug, for credentials must not be led away.
 */
export async function prepareStep(
	env: Pick<Env, "ALLOW_PRIVATE_ENDPOINTS">,
	{ endpoint, ownHosts, step, deliveryId, now }: StepParts,
): Promise<{ request: OutgoingRequest } | { result: AttemptResult }> {
	const { method, url, headers } = step;
	if (originOf(url) !== originOf(endpoint.url))
		throw new Error("a protocol has left the host of its endpoint");
	const rules = { allowPrivate: env.ALLOW_PRIVATE_ENDPOINTS === "true", ownHosts };
	const refusal = refuseAddress(endpoint.url, rules);
	if (refusal !== null) {
		return { result: { kind: "no_response", error: "blocked_url", message: refusal, durationMs: 0 } };
	}
	const body = step.body === null ? null : Buffer.from(step.body);
	const request: OutgoingRequest = {
		url,
		method,
		headers: {
			"user-agent": USER_AGENT,
			...(deliveryId !== null && { "x-request-id": deliveryId }),
			...headers,
			...ownHeaders(endpoint),
			...(deliveryId !== null && signed(endpoint, deliveryId, body, now)),
		},
		body,
	};
	return authorize(request, endpoint, { rules, now });
}

function signed(
	{ signingSecrets }: ReadableEndpoint,
	id: string,
	body: Uint8Array | null,
	now: number,
): Record<string, string> {
	const timestampSeconds = Math.floor(now / 1000);
	return signatureHeaders({
		id,
		timestampSeconds,
		body: body ?? "",
		secrets: liveSecrets(signingSecrets, now),
	});
}
