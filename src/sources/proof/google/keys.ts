/**
 * Google's public keys for OIDC tokens: fetched only from Google's own address, and cached for as long as Google
 * allows.
 */
import { createLocalJWKSet } from "jose/jwks/local";
import * as z from "zod";
import { readResponse } from "../../../http/read-response.ts";
import { type Refusal, refuseForNow } from "../../../http/refusal.ts";

const KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs";
const FETCH_TIMEOUT_MS = 3_000;
const MAX_KEYS_BYTES = 65_536;
const DEFAULT_KEEP_SECONDS = 3_600;
const MIN_KEEP_SECONDS = 300;
const MAX_KEEP_SECONDS = 86_400;
/** The minimum time between fetches: an attacker can invent key ids, which must not cause a fetch per request. */
const REFETCH_INTERVAL_MS = 60_000;

const keySetSchema = z.object({
	keys: z
		.array(z.looseObject({ kid: z.string(), kty: z.literal("RSA"), n: z.string(), e: z.string() }))
		.min(1),
});

/** `resolve` finds the key of a token. */
export interface GoogleKeys {
	ids: ReadonlySet<string>;
	resolve: ReturnType<typeof createLocalJWKSet>;
}

interface KeptKeys extends GoogleKeys {
	fetchedAt: number;
	expiresAt: number;
}

/** Cached per isolate. */
let kept: KeptKeys | null = null;

/**
 * Returns the cached keys. Fetches them again if they have expired or lack `keyId`. `now` in ms. Refuses with 503
 * `keys_unavailable`.
 */
export async function loadGoogleKeys(
	keyId: string,
	now: number,
): Promise<{ ok: true; keys: GoogleKeys } | Refusal> {
	if (kept !== null && kept.expiresAt > now) {
		const mayAskAgain = now - kept.fetchedAt >= REFETCH_INTERVAL_MS;
		if (kept.ids.has(keyId) || !mayAskAgain) return { ok: true, keys: kept };
	}
	try {
		kept = await fetchKeys(now);
		return { ok: true, keys: kept };
	} catch (cause) {
		const message = "Google's public keys are unavailable. Send the request again.";
		return refuseForNow("keys_unavailable", message, { cause });
	}
}

/** Throws on any failure. */
async function fetchKeys(now: number): Promise<KeptKeys> {
	const response = await fetch(KEYS_URL, {
		redirect: "manual",
		signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
	});
	if (response.status !== 200) throw new Error(`Google's keys: status ${response.status}`);
	const text = await readResponse(response, MAX_KEYS_BYTES);
	if (text === null) throw new Error("Google's keys: too large");
	const keySet = keySetSchema.parse(JSON.parse(text));
	return {
		ids: new Set(keySet.keys.map(({ kid }) => kid)),
		resolve: createLocalJWKSet(keySet),
		fetchedAt: now,
		expiresAt: now + keepSeconds(response.headers.get("cache-control")) * 1000,
	};
}

/** Returns `max-age` (RFC 9111, section 5.2.2.1), within bounds. */
function keepSeconds(cacheControl: string | null): number {
	const given = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl ?? "")?.[1];
	const seconds = given === undefined ? DEFAULT_KEEP_SECONDS : Number(given);
	return Math.min(Math.max(seconds, MIN_KEEP_SECONDS), MAX_KEEP_SECONDS);
}
