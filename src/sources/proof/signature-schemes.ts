/**
 * The HMAC signature schemes as a table. One function verifies and one signs by a row, so a provider with such
 * signatures needs a row and no code.
 */
import { createHmac } from "node:crypto";
import type { SIGNING_PROVIDERS, SourceAuth } from "../../store/resources/source-auth.ts";
import { isSameDigest } from "../../crypto/compare.ts";
import { TOLERANCE_SECONDS, isFresh } from "../../crypto/freshness.ts";
import { signedContent } from "../../crypto/signed-content.ts";
import { readSignatures, writeSignature } from "./signature-header.ts";
import type { SignatureScheme } from "./signature-scheme.ts";
import { type Signable, keyOf, signedBytes } from "./signed-bytes.ts";

const PLAIN = {
	algorithm: "sha256",
	prefix: "",
	timestamp: null,
	toleranceSeconds: TOLERANCE_SECONDS,
	content: signedContent("{body}"),
	secretEncoding: "utf8",
} as const;

const PROVIDER_SCHEMES = {
	/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
	github: { ...PLAIN, header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" },
	/** https://shopify.dev/docs/apps/build/webhooks/subscribe/https */
	shopify: { ...PLAIN, header: "x-shopify-hmac-sha256", encoding: "base64" },
	/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
	slack: {
		...PLAIN,
		header: "x-slack-signature",
		encoding: "hex",
		prefix: "v0=",
		timestamp: { header: "x-slack-request-timestamp" },
		content: signedContent("v0:{timestamp}:{body}"),
	},
	/** https://docs.stripe.com/webhooks#verify-manually */
	stripe: {
		...PLAIN,
		header: "stripe-signature",
		encoding: "hex",
		timestamp: { listKey: "t" },
		signatureKey: "v1",
		content: signedContent("{timestamp}.{body}"),
	},
} as const satisfies Record<(typeof SIGNING_PROVIDERS)[number], SignatureScheme>;

export type SignedAuth = Extract<SourceAuth, { type: "hmac" | keyof typeof PROVIDER_SCHEMES }>;

export function schemeOf(auth: SignedAuth): SignatureScheme {
	if (auth.type !== "hmac") return PROVIDER_SCHEMES[auth.type];
	const { header, algorithm, encoding, prefix, timestamp_header: timestampHeader = null } = auth;
	return {
		header,
		algorithm,
		encoding,
		prefix,
		timestamp: timestampHeader === null ? null : { header: timestampHeader },
		toleranceSeconds: auth.tolerance_seconds ?? PLAIN.toleranceSeconds,
		content: auth.signed_content === undefined ? PLAIN.content : signedContent(auth.signed_content),
		secretEncoding: auth.secret_encoding ?? PLAIN.secretEncoding,
	};
}

/** Returns whether a signature was made with `secret`, and recently if the scheme has a timestamp. `now` in ms. */
export function verifySignature(
	scheme: SignatureScheme,
	secret: string,
	{ now, ...request }: Signable & { now: number },
): boolean {
	const { timestamp, signatures } = readSignatures(scheme, request.headers);
	if (scheme.timestamp !== null) {
		if (timestamp === null || !isFresh(timestamp, now, scheme.toleranceSeconds, scheme.toleranceSeconds))
			return false;
	}
	const expected = digest(scheme, secret, timestamp ?? "", request);
	if (expected === null) return false;
	return signatures.some(
		(signature) =>
			signature.startsWith(scheme.prefix) &&
			isSameDigest(Buffer.from(signature.slice(scheme.prefix.length), scheme.encoding), expected),
	);
}

/**
 * Returns the headers that sign `request` at `now` (ms), or none if the request lacks something that the scheme covers.
 */
export function signatureHeadersOf(
	scheme: SignatureScheme,
	secret: string,
	request: Signable,
	now: number,
): Record<string, string> {
	const timestamp = String(Math.floor(now / 1000));
	const signature = digest(scheme, secret, timestamp, request);
	return signature === null ? {} : writeSignature(scheme, timestamp, signature.toString(scheme.encoding));
}

function digest(
	{ algorithm, content, secretEncoding }: SignatureScheme,
	secret: string,
	timestamp: string,
	request: Signable,
): Buffer | null {
	const key = keyOf(secret, secretEncoding);
	const signed = signedBytes(content, timestamp, request);
	if (key === null || signed === null) return null;
	const hmac = createHmac(algorithm, key);
	for (const part of signed) hmac.update(part);
	return hmac.digest();
}
