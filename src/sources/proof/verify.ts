/**
 * Verifies that a request comes from the source's publisher, from its raw bytes and the time. A refusal never says
 * which part was wrong, because that would help an attacker.
 */
import { credentials } from "../../http/credentials.ts";
import type { ReadableSource, SourceAuth } from "../../store/records.ts";
import { isSameSecret } from "../../crypto/compare.ts";
import { verifyGoogleToken } from "./google/oidc.ts";
import { schemeOf, verifySignature } from "./signature-schemes.ts";
import { verifySns } from "./sns/signature.ts";
import { verifyStandardWebhook } from "../../crypto/verify-standard-webhooks.ts";
import { PROVIDERS, type Trust } from "./trust.ts";
import { NOT_PROVEN, PROVEN, type Verified } from "./verified.ts";

export interface SignedRequest {
	headers: Headers;
	url: string;
	/** The raw body. */
	body: Uint8Array;
	/** ms since the epoch. */
	now: number;
	/** The maximum age of a Standard Webhooks signature, if the kind allows more than usual. */
	maxAgeSeconds?: number | undefined;
}

/**
 * Tries every valid secret, so that publisher and source can rotate one after the other. Refuses with 401, with 503 if
 * a provider's keys are unavailable, and with 400 for unsigned SNS messages.
 */
export async function verify(
	{ auth, secrets, settings }: Pick<ReadableSource, "auth" | "secrets" | "settings">,
	request: SignedRequest,
	trust: Trust = PROVIDERS,
): Promise<Verified> {
	if (auth.type === "none") return PROVEN;
	if (auth.type === "sns") return verifySns(settings, request, trust);
	if (auth.type === "google_oidc") {
		const token = credentials(request.headers.get("authorization"), "bearer");
		return verifyGoogleToken(auth, { ...request, token }, trust);
	}
	// Such a source fetches its events and accepts no requests.
	if (auth.type === "aws_keys") return NOT_PROVEN;
	const isProven = secrets
		.filter(({ expiresAt }) => expiresAt === null || expiresAt > request.now)
		.flatMap(({ value }) => spellings(value))
		.some((value) => provesWithSecret(auth, trust.secret(value), request));
	return isProven ? PROVEN : { ...NOT_PROVEN, headers: challengeOf(auth) };
}

/** Release 0.1 stored secrets untrimmed, so both spellings count. An empty secret is never valid. */
export function spellings(secret: string): string[] {
	const trimmed = secret.trim();
	if (trimmed === "") return [];
	return trimmed === secret ? [secret] : [secret, trimmed];
}

type SecretAuth = Exclude<SourceAuth, { type: "none" | "sns" | "google_oidc" | "aws_keys" }>;

function provesWithSecret(
	auth: SecretAuth,
	secret: string,
	{ headers, url, body, now, maxAgeSeconds }: SignedRequest,
): boolean {
	switch (auth.type) {
		case "bearer":
			return matches(credentials(headers.get("authorization"), "bearer"), secret);
		case "basic":
			return matches(
				decodeBasic(credentials(headers.get("authorization"), "basic")),
				`${auth.username}:${secret}`,
			);
		case "header":
			return matches(headers.get(auth.name), secret);
		case "url_token":
			return matches(new URL(url).searchParams.get("token"), secret);
		case "hmac":
		case "github":
		case "shopify":
		case "slack":
		case "stripe":
			return verifySignature(schemeOf(auth), secret, { headers, url, body, now });
		case "standard_webhooks":
			return verifyStandardWebhook(headers, body, secret, now, maxAgeSeconds);
	}
}

function matches(given: string | null, secret: string): boolean {
	return given !== null && isSameSecret(given, secret);
}

function decodeBasic(encoded: string | null): string | null {
	return encoded === null ? null : Buffer.from(encoded, "base64").toString();
}

/** Returns the `www-authenticate` header of a 401, if HTTP defines the scheme. */
function challengeOf({ type }: SourceAuth): Record<string, string> {
	if (type === "bearer") return { "www-authenticate": "Bearer" };
	if (type === "basic") return { "www-authenticate": 'Basic realm="sluice", charset="UTF-8"' };
	return {};
}
