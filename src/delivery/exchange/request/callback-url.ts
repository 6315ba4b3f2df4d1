/**
 * Where a server posts the output of a job. The URL names the attempt, unsigned: anyone who has the token may report
 * on any attempt of the delivery.
 */
import { callbackToken } from "../../../crypto/callback-token.ts";
import type { KeyEnv } from "../../../crypto/key-materials.ts";
import { type CompletingEndpoint, completionOf } from "../../../models/completion.ts";

export interface CallbackAddress {
	url: string;
	/** A credential: it is masked in everything that the server returns. */
	token: string;
}

/**
 * The callback URL of the first attempt without its token, so that it can be shown but not used. null: the endpoint does
 * not complete by callback.
 */
export function shownCallbackUrl(endpoint: CompletingEndpoint, deliveryId: string): string | null {
	if (completionOf(endpoint).mode !== "callback") return null;
	return callbackUrl(endpoint.completion.callbackOrigin ?? "", { deliveryId, attempt: 1 }, "***");
}

/**
 * null: the endpoint does not complete by callback. Throws if no URL can be made, which is a bug.
 */
export function callbackAddress(
	env: KeyEnv,
	endpoint: CompletingEndpoint,
	of: { deliveryId: string; attempt: number },
): CallbackAddress | null {
	if (completionOf(endpoint).mode !== "callback") return null;
	const { callbackOrigin } = endpoint.completion;
	const token = callbackToken(env, of.deliveryId);
	if (callbackOrigin === null || token === null) {
		throw new Error("the endpoint has no callback URL: set its completion.mode again");
	}
	return { url: callbackUrl(callbackOrigin, of, token), token };
}

function callbackUrl(
	origin: string,
	{ deliveryId, attempt }: { deliveryId: string; attempt: number },
	token: string,
): string {
	return `${origin}/callbacks/${deliveryId}/${token}?attempt=${attempt}`;
}
