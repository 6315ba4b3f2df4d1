/** Whether a 401 may only mean that a cached access token is no longer valid. Pure. */
import type { EndpointAuth } from "../../store/records.ts";
import type { Attempt } from "../records.ts";
import type { AttemptResult } from "./attempt.ts";

export const STALE_TOKEN = "The access token was refused; the delivery is sent once more with a new one.";

/**
 * A token may be revoked before it expires. So the first 401 says nothing about the endpoint's
 * settings: the delivery is sent once more, with a new token. `attempts` are those before this one.
 */
export function isTokenStale(
	auth: EndpointAuth,
	result: AttemptResult,
	attempts: readonly Pick<Attempt, "statusCode">[],
): boolean {
	if (auth.type !== "oauth2_client_credentials") return false;
	return isUnauthorized(result) && attempts.at(-1)?.statusCode !== 401;
}

export function isUnauthorized(result: AttemptResult): boolean {
	return result.kind === "response" && result.status === 401;
}
