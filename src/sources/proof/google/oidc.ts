/**
 * Verifies the OIDC tokens that Google services send for a service account, such as Pub/Sub push
 * (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions).
 */
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify } from "jose/jwt/verify";
import type { SourceAuth } from "../../../store/records.ts";
import type { Trust } from "../trust.ts";
import { NOT_PROVEN, PROVEN, type Verified } from "../verified.ts";

type GoogleAuth = Extract<SourceAuth, { type: "google_oidc" }>;

export const GOOGLE = "https://accounts.google.com";
const ISSUERS = [GOOGLE, "accounts.google.com"];
/** How far Google's clock and this one may differ. */
const TOLERANCE_SECONDS = 300;
/** Google's tokens are about 1 KB. */
const MAX_TOKEN_LENGTH = 8_192;

/** Returns the required audience of the token: the requested URL, unless the source sets one. */
export function audienceOf({ audience }: GoogleAuth, url: string): string {
	return audience ?? url;
}

/**
 * Verifies a token. `token` is the bearer token, `url` the requested URL, `now` in ms. Refuses with 401, or with 503
 * `keys_unavailable` if Google's keys cannot be fetched, so that the publisher retries.
 */
export async function verifyGoogleToken(
	auth: GoogleAuth,
	{ token, url, now }: { token: string | null; url: string; now: number },
	trust: Trust,
): Promise<Verified> {
	if (token === null || token.length > MAX_TOKEN_LENGTH) return NOT_PROVEN;
	const keyId = readKeyId(token);
	const expected = { email: auth.email, audience: audienceOf(auth, url) };
	// A token with wrong claims causes no request to Google.
	if (keyId === null || !claims(token, expected)) return NOT_PROVEN;
	const found = await trust.googleKeys(keyId, now);
	if (!found.ok) return found;
	if (!found.keys.ids.has(keyId)) return NOT_PROVEN;
	try {
		await jwtVerify(token, found.keys.resolve, {
			algorithms: ["RS256"],
			issuer: ISSUERS,
			audience: expected.audience,
			requiredClaims: ["exp", "iat"],
			clockTolerance: TOLERANCE_SECONDS,
			currentDate: new Date(now),
		});
		return PROVEN;
	} catch {
		return NOT_PROVEN;
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

/** Checks the unverified claims of the token. They count only once the signature is verified. */
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
