/**
 * Verification of the OIDC tokens that Google's services send for a service account, as Pub/Sub push does
 * (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions). Google's keys are fetched from Google's own
 * address only, and kept in memory.
 */
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { createLocalJWKSet } from "jose/jwks/local";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify } from "jose/jwt/verify";
import * as z from "zod";
import { Problem } from "../problem.ts";
import type { SourceAuth } from "../store/records.ts";

type GoogleAuth = Extract<SourceAuth, { type: "google_oidc" }>;

const KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs";
const ISSUERS = ["https://accounts.google.com", "accounts.google.com"];
/** How far Google's clock and ours may differ. */
const TOLERANCE_SECONDS = 300;
/** Google's tokens are about 1 KB. */
const MAX_TOKEN_LENGTH = 8_192;

const FETCH_TIMEOUT_MS = 3_000;
const MAX_KEYS_BYTES = 65_536;
const DEFAULT_KEEP_SECONDS = 3_600;
const MIN_KEEP_SECONDS = 300;
const MAX_KEEP_SECONDS = 86_400;
/** Anybody can invent a key id: it may make us ask Google again, but not at every request. */
const REFETCH_INTERVAL_MS = 60_000;

const keySetSchema = z.object({
	keys: z
		.array(z.looseObject({ kid: z.string(), kty: z.literal("RSA"), n: z.string(), e: z.string() }))
		.min(1),
});

interface Keys {
	ids: ReadonlySet<string>;
	resolve: ReturnType<typeof createLocalJWKSet>;
	fetchedAt: number;
	expiresAt: number;
}

/** Of this isolate. */
let kept: Keys | null = null;

/**
 * `token` is the bearer token; `url` the URL as requested, the audience where the source names none. `now` in ms.
 * Throws `Problem` 503 `keys_unavailable` when Google's keys are needed and cannot be had: that is no fault of
 * the publisher, who is to send again.
 */
export async function verifyGoogleToken(
	{ audience, email }: GoogleAuth,
	token: string | null,
	url: string,
	now: number,
): Promise<boolean> {
	if (token === null || token.length > MAX_TOKEN_LENGTH) return false;
	const keyId = readKeyId(token);
	const expected = { email, audience: audience ?? url };
	// What does not even claim to be right costs no request to Google.
	if (keyId === null || !claims(token, expected)) return false;
	const keys = await keysFor(keyId, now);
	if (!keys.ids.has(keyId)) return false;
	try {
		await jwtVerify(token, keys.resolve, {
			algorithms: ["RS256"],
			issuer: ISSUERS,
			audience: expected.audience,
			requiredClaims: ["exp", "iat"],
			clockTolerance: TOLERANCE_SECONDS,
			currentDate: new Date(now),
		});
		return true;
	} catch {
		return false;
	}
}

function readKeyId(token: string): string | null {
	try {
		const { alg, kid } = decodeProtectedHeader(token);
		return alg === "RS256" && kid !== undefined ? kid : null;
	} catch {
		return null;
	}
}

/** The claims as they stand in the token; they hold only once the signature does. */
function claims(token: string, expected: { email: string; audience: string }): boolean {
	try {
		const { iss, aud, email, email_verified: isVerified } = decodeJwt(token);
		return (
			ISSUERS.includes(iss ?? "") &&
			aud === expected.audience &&
			email === expected.email &&
			isVerified === true
		);
	} catch {
		return false;
	}
}

/** The kept keys while they are good; they are asked for anew when they have expired or may lack a new one. */
async function keysFor(keyId: string, now: number): Promise<Keys> {
	if (kept !== null && kept.expiresAt > now) {
		const mayAskAgain = now - kept.fetchedAt >= REFETCH_INTERVAL_MS;
		if (kept.ids.has(keyId) || !mayAskAgain) return kept;
	}
	kept = await fetchKeys(now);
	return kept;
}

async function fetchKeys(now: number): Promise<Keys> {
	try {
		const response = await fetch(KEYS_URL, {
			redirect: "manual",
			signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
		});
		if (response.status !== 200) throw new Error(`Google's keys: status ${response.status}`);
		const text = await response.text();
		if (text.length > MAX_KEYS_BYTES) throw new Error("Google's keys: too large");
		const keySet = keySetSchema.parse(JSON.parse(text));
		return {
			ids: new Set(keySet.keys.map(({ kid }) => kid)),
			resolve: createLocalJWKSet(keySet),
			fetchedAt: now,
			expiresAt: now + keepSeconds(response.headers.get("cache-control")) * 1000,
		};
	} catch (cause) {
		throw new Problem(503, "keys_unavailable", "Google's keys cannot be read now. Send the request again.", {
			headers: { "retry-after": "5" },
			cause,
		});
	}
}

/** `max-age` of RFC 9111, section 5.2.2.1, within bounds. */
function keepSeconds(cacheControl: string | null): number {
	const given = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl ?? "")?.[1];
	const seconds = given === undefined ? DEFAULT_KEEP_SECONDS : Number(given);
	return Math.min(Math.max(seconds, MIN_KEEP_SECONDS), MAX_KEEP_SECONDS);
}
