/**
 * HMAC signatures of requests as data: what is signed, and where the signature and its time stand. One function
 * verifies by the table and one signs by it; a provider that signs like this needs a row and no code.
 */
import { createHmac } from "node:crypto";
import type {
	HMAC_ALGORITHMS,
	SECRET_ENCODINGS,
	SIGNATURE_ENCODINGS,
	SIGNING_PROVIDERS,
	SourceAuth,
} from "../../store/source-auth.ts";
import { isSameDigest } from "../../crypto/compare.ts";
import { TOLERANCE_SECONDS, isFresh } from "../../crypto/freshness.ts";
import { type ContentPart, signedContent } from "../../crypto/signed-content.ts";
import { type Signable, keyOf, signedBytes } from "./signed-bytes.ts";

export interface SignatureScheme {
	/**
	 * Carries the signature, or several with commas or spaces between them, bare or in a list of `key=value` entries
	 * with commas between them.
	 */
	header: string;
	algorithm: (typeof HMAC_ALGORITHMS)[number];
	encoding: (typeof SIGNATURE_ENCODINGS)[number];
	/** What a signature begins with, such as `sha256=`. */
	prefix: string;
	/** Where the time of signing stands: another header, or an entry of the list. null: it is not signed. */
	timestamp: { header: string } | { listKey: string } | null;
	/** The entries of the list that are signatures; while the provider rotates there are several. */
	signatureKey?: string;
	/** How far that time may be off, either way. */
	toleranceSeconds: number;
	/** What is signed, the body being its bytes. */
	content: readonly ContentPart[];
	/** How the secret becomes a key. */
	secretEncoding: (typeof SECRET_ENCODINGS)[number];
}

/** Tried in one header; no sender rotates through more. */
const MAX_SIGNATURES = 20;

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

/** Whether one of the signatures was made with `secret`, and recently where the scheme says when. `now` in ms. */
export function verifySignature(
	scheme: SignatureScheme,
	secret: string,
	{ now, ...request }: Signable & { now: number },
): boolean {
	const { timestamp, signatures } = readSignatures(scheme, request.headers);
	if (scheme.timestamp !== null) {
		if (timestamp === null || !isFresh(timestamp, now, scheme.toleranceSeconds)) return false;
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
 * The headers that prove `request`, as its sender would have set them at `now` (ms); none where it lacks what the scheme
 * covers, and so cannot be signed.
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

/** Puts a signature, without its prefix, and its time where the scheme wants them. */
export function writeSignature(
	{ header, prefix, timestamp, signatureKey }: SignatureScheme,
	timestampText: string,
	signature: string,
): Record<string, string> {
	const value = `${prefix}${signature}`;
	if (timestamp === null) return { [header]: value };
	if ("header" in timestamp) return { [timestamp.header]: timestampText, [header]: value };
	return { [header]: `${timestamp.listKey}=${timestampText},${signatureKey}=${value}` };
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

interface Signatures {
	timestamp: string | null;
	signatures: string[];
}

function readSignatures({ header, timestamp, signatureKey }: SignatureScheme, headers: Headers): Signatures {
	const value = headers.get(header);
	if (value === null) return { timestamp: null, signatures: [] };
	if (timestamp === null) return { timestamp: null, signatures: signaturesIn(value) };
	if ("header" in timestamp) {
		return { timestamp: headers.get(timestamp.header), signatures: signaturesIn(value) };
	}
	const entries = value.split(",").map((entry): [key: string, value: string] => {
		const [key = "", ...rest] = entry.split("=");
		return [key.trim(), rest.join("=").trim()];
	});
	return {
		timestamp: entries.find(([key]) => key === timestamp.listKey)?.[1] ?? null,
		signatures: entries.filter(([key]) => key === signatureKey).map(([, signature]) => signature),
	};
}

/** The header as a whole, since a prefix may have a space in it, and what stands between commas and spaces. */
function signaturesIn(value: string): string[] {
	const listed = value.split(/[\s,]+/, MAX_SIGNATURES).filter((text) => text !== "");
	return listed.length > 1 ? [value, ...listed] : [value];
}
