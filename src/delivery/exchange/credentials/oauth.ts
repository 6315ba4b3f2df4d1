/**
 * Access tokens for OAuth 2.0 client credentials (RFC 6749, section 4.4): requested once, kept in
 * memory until shortly before they expire, and dropped when an endpoint refuses one.
 * token-response.ts decides what a token endpoint's response means.
 */
import type { EndpointAuth, OAuth2ClientCredentials } from "../../../store/records.ts";
import type { AttemptResult } from "../../rules/attempt.ts";
import { isUnauthorized } from "../../rules/stale-token.ts";
import { send } from "../carriers/send.ts";
import { tokenRequest } from "./token-request.ts";
import { readToken, type Asked, type Token } from "./token-response.ts";
import { refuseHttpAddress, type UrlRules } from "../addresses/url-guard.ts";

const TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 65_536;
/** Tokens that one isolate keeps; the least recently used one is dropped first. */
const MAX_TOKENS = 200;

/** Settled tokens in the order of their use; any object of the isolate may use them. */
const kept = new Map<string, Token>();
/**
 * Requests in progress, by the settings as one dispatcher has read them. Deliveries of one
 * dispatcher share a request. Objects do not wait for each other's requests, because the platform
 * does not allow that.
 */
const asking = new WeakMap<OAuth2ClientCredentials, Promise<Asked>>();

/** Returns a valid token. Never throws. */
export async function accessToken(auth: OAuth2ClientCredentials, rules: UrlRules): Promise<Asked> {
	const key = keyOf(auth);
	const found = kept.get(key);
	if (found !== undefined && Date.now() < found.freshUntil) {
		keep(key, found);
		return { ok: true, token: found };
	}
	const underWay = asking.get(auth);
	if (underWay !== undefined) return underWay;
	const asked = askFor(auth, rules).finally(() => asking.delete(auth));
	asking.set(auth, asked);
	return asked;
}

/** Drops a token that an endpoint has refused. A token requested since then is kept. */
export function dropToken(auth: OAuth2ClientCredentials, refused: readonly string[]): void {
	const key = keyOf(auth);
	const found = kept.get(key);
	if (found !== undefined && refused.includes(found.value)) kept.delete(key);
}

/**
 * Drops the access token that an endpoint has refused with 401, so that the next request gets a new
 * one. Returns whether there was such a token.
 */
export function dropRefusedToken(auth: EndpointAuth, result: AttemptResult): boolean {
	if (auth.type !== "oauth2_client_credentials" || !isUnauthorized(result)) return false;
	dropToken(auth, result.secrets ?? []);
	return true;
}

/**
 * Exchanges; if the endpoint refuses the access token, exchanges once more, with a new one. null: nothing is known
 * about the response.
 */
export async function withNewToken(
	auth: EndpointAuth,
	exchange: () => Promise<AttemptResult | null>,
): Promise<AttemptResult | null> {
	const first = await exchange();
	if (first === null || !dropRefusedToken(auth, first)) return first;
	const second = await exchange();
	if (second !== null) dropRefusedToken(auth, second);
	return second;
}

async function askFor(auth: OAuth2ClientCredentials, rules: UrlRules): Promise<Asked> {
	// Checked for each request: the rules may have been tightened since the endpoint was
	// registered.
	const refusal = refuseHttpAddress(auth.tokenUrl, rules);
	if (refusal !== null) {
		const message = `The token endpoint (auth.token_url) ${refusal}.`;
		return { ok: false, result: { kind: "no_response", error: "blocked_url", message, durationMs: 0 } };
	}
	const limits = { timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_RESPONSE_BYTES };
	const response = await send(tokenRequest(auth), limits);
	const asked = readToken(response, Date.now());
	if (asked.ok) keep(keyOf(auth), asked.token);
	return asked;
}

function keep(key: string, token: Token): void {
	kept.delete(key);
	kept.set(key, token);
	const [oldest] = kept.keys();
	if (kept.size > MAX_TOKENS && oldest !== undefined) kept.delete(oldest);
}

function keyOf({
	tokenUrl,
	clientId,
	clientSecret,
	scope,
	audience,
	clientAuth,
}: OAuth2ClientCredentials): string {
	return JSON.stringify([tokenUrl, clientId, clientSecret, scope, audience, clientAuth]);
}
