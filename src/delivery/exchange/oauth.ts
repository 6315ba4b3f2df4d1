/**
 * Access tokens of OAuth 2.0 client credentials (RFC 6749, section 4.4): asked for once, kept in memory until shortly
 * before they end, and dropped when an endpoint refuses one. What a token endpoint's response means is decided in
 * token-response.ts.
 */
import type { OAuth2ClientCredentials } from "../../store/records.ts";
import { send } from "./send.ts";
import { tokenRequest } from "./token-request.ts";
import { readToken, type Asked, type Token } from "./token-response.ts";
import { refuseHttpAddress, type UrlRules } from "./url-guard.ts";

const TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 65_536;
/** Tokens that one isolate keeps; the one that was used longest ago goes first. */
const MAX_TOKENS = 200;

/** Settled tokens, which any object of the isolate may use, in the order of their use. */
const kept = new Map<string, Token>();
/**
 * Requests under way, by the settings as one dispatcher has read them: its deliveries share one, and no object waits for
 * what another has begun, which the platform does not allow.
 */
const asking = new WeakMap<OAuth2ClientCredentials, Promise<Asked>>();

/** A token that is good for now. Never throws. */
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

/** An endpoint has refused a request with these credentials. A token that has come since then stays. */
export function dropToken(auth: OAuth2ClientCredentials, refused: readonly string[]): void {
	const key = keyOf(auth);
	const found = kept.get(key);
	if (found !== undefined && refused.includes(found.value)) kept.delete(key);
}

async function askFor(auth: OAuth2ClientCredentials, rules: UrlRules): Promise<Asked> {
	// Judged at each request: the rules may have been tightened since the endpoint was registered.
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
