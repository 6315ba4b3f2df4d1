/**
 * A request about a job or a model, which carries no event: the protocol's part with the endpoint's
 * headers and credentials, after the address check. A request about a delivery is signed like the
 * delivery itself.
 */
import { Buffer } from "node:buffer";
import { liveSecrets, signatureHeaders } from "../../../crypto/standard-webhooks.ts";
import type { Env } from "../../../env.ts";
import { originOf } from "../../../models/requests/address.ts";
import type { StepRequest } from "../../../models/exchange.ts";
import type { ReadableEndpoint } from "../../../store/records.ts";
import type { AttemptResult, OutgoingRequest } from "../../rules/attempt.ts";
import { authorize } from "../credentials/authorize.ts";
import { ownHeaders, USER_AGENT } from "./request.ts";
import { refuseAddress } from "../addresses/url-guard.ts";

export interface StepParts {
	endpoint: ReadableEndpoint;
	/** Names of this router. */
	ownHosts: readonly string[];
	step: StepRequest;
	/**
	 * `dlv_…`; becomes `webhook-id`. null: it is not about a delivery, and is not signed.
	 */
	deliveryId: string | null;
	/** ms since the epoch. */
	now: number;
}

/**
 * Returns the request, or the result if the exchange ended before anything was sent. Throws if the
 * protocol's URL is not on the endpoint's host: a bug, because credentials must not be sent
 * elsewhere.
 */
export async function prepareStep(
	env: Pick<Env, "ALLOW_PRIVATE_ENDPOINTS">,
	{ endpoint, ownHosts, step, deliveryId, now }: StepParts,
): Promise<{ request: OutgoingRequest } | { result: AttemptResult }> {
	const { method, url, headers } = step;
	if (originOf(url) !== originOf(endpoint.url))
		throw new Error("the protocol's request URL is not on the endpoint's host");
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
