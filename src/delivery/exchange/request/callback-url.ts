/** Where a server posts the output of a job. */
import { callbackToken } from "../../../crypto/callback-token.ts";
import type { KeyEnv } from "../../../crypto/key-materials.ts";
import { type CompletingEndpoint, completionOf } from "../../../models/completion.ts";

export interface CallbackAddress {
	url: string;
	/** A credential: it is masked in everything that the server returns. */
	token: string;
}

/**
 * The callback URL without its token, so that it can be shown but not used. null: the endpoint does
 * not complete by callback.
 */
export function shownCallbackUrl(endpoint: CompletingEndpoint, deliveryId: string): string | null {
	if (completionOf(endpoint).mode !== "callback") return null;
	return `${endpoint.completion.callbackOrigin ?? ""}/callbacks/${deliveryId}/***`;
}

/**
 * null: the endpoint does not complete by callback. Throws if no URL can be made, which is a bug.
 */
export function callbackAddress(
	env: KeyEnv,
	endpoint: CompletingEndpoint,
	deliveryId: string,
): CallbackAddress | null {
	if (completionOf(endpoint).mode !== "callback") return null;
	const { callbackOrigin } = endpoint.completion;
	const token = callbackToken(env, deliveryId);
	if (callbackOrigin === null || token === null) {
		throw new Error("the endpoint has no callback URL: set its completion.mode again");
	}
	return { url: `${callbackOrigin}/callbacks/${deliveryId}/${token}`, token };
}
