/**
 * HMAC signatures of requests as data: what is signed, and where the signature and its time stand. One function
 * verifies by the table and one signs by it; a provider that signs like this needs a row and no code.
 */
import { createHmac } from "node:crypto";
import type {
	HMAC_ALGORITHMS,
	SIGNATURE_ENCODINGS,
	SIGNING_PROVIDERS,
	SourceAuth,
} from "../../store/source-auth.ts";
import { isSameDigest } from "../../crypto/compare.ts";
import { isFresh } from "../../crypto/freshness.ts";

export interface SignatureScheme {
	/** Carries the signature, bare or in a list of `key=value` entries with commas between them. */
	header: string;
	algorithm: (typeof HMAC_ALGORITHMS)[number];
	encoding: (typeof SIGNATURE_ENCODINGS)[number];
	/** What a signature begins with, such as `sha256=`. */
	prefix: string;
	/** Where the time of signing stands: another header, or an entry of the list. null: it is not signed. */
	timestamp: { header: string } | { listKey: string } | null;
	/** The entries of the list that are signatures; while the provider rotates there are several. */
	signatureKey?: string;
	/** What is signed, the body being its bytes. */
	content: "{body}" | "{timestamp}.{body}" | "v0:{timestamp}:{body}";
}

const PLAIN = { algorithm: "sha256", prefix: "", timestamp: null, content: "{body}" } as const;

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
		content: "v0:{timestamp}:{body}",
	},
	/** https://docs.stripe.com/webhooks#verify-manually */
	stripe: {
		...PLAIN,
		header: "stripe-signature",
		encoding: "hex",
		timestamp: { listKey: "t" },
		signatureKey: "v1",
		content: "{timestamp}.{body}",
	},
} as const satisfies Record<(typeof SIGNING_PROVIDERS)[number], SignatureScheme>;

export type SignedAuth = Extract<SourceAuth, { type: "hmac" | keyof typeof PROVIDER_SCHEMES }>;

export function schemeOf(auth: SignedAuth): SignatureScheme {
	if (auth.type !== "hmac") return PROVIDER_SCHEMES[auth.type];
	const { header, algorithm, encoding, prefix } = auth;
	return { ...PLAIN, header, algorithm, encoding, prefix };
}

/** Whether one of the signatures was made with `secret`, and recently where the scheme says when. `now` in ms. */
export function verifySignature(
	scheme: SignatureScheme,
	secret: string,
	{ headers, body, now }: { headers: Headers; body: Uint8Array; now: number },
): boolean {
	const { timestamp, signatures } = readSignatures(scheme, headers);
	if (scheme.timestamp !== null && (timestamp === null || !isFresh(timestamp, now))) return false;
	const expected = digest(scheme, secret, timestamp ?? "", body);
	return signatures.some(
		(signature) =>
			signature.startsWith(scheme.prefix) &&
			isSameDigest(Buffer.from(signature.slice(scheme.prefix.length), scheme.encoding), expected),
	);
}

/** The headers that prove `body`, as its sender would have set them at `now` (ms). */
export function signatureHeadersOf(
	scheme: SignatureScheme,
	secret: string,
	body: string | Uint8Array,
	now: number,
): Record<string, string> {
	const timestamp = String(Math.floor(now / 1000));
	const signature = digest(scheme, secret, timestamp, body).toString(scheme.encoding);
	return writeSignature(scheme, timestamp, signature);
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

/** What stands before the body in the signed bytes. */
export function signedHead({ content }: SignatureScheme, timestamp: string): string {
	return content.replace("{body}", "").replace("{timestamp}", () => timestamp);
}

function digest(
	scheme: SignatureScheme,
	secret: string,
	timestamp: string,
	body: string | Uint8Array,
): Buffer {
	return createHmac(scheme.algorithm, secret).update(signedHead(scheme, timestamp)).update(body).digest();
}

interface Signatures {
	timestamp: string | null;
	signatures: string[];
}

function readSignatures({ header, timestamp, signatureKey }: SignatureScheme, headers: Headers): Signatures {
	const value = headers.get(header);
	if (value === null) return { timestamp: null, signatures: [] };
	if (timestamp === null) return { timestamp: null, signatures: [value] };
	if ("header" in timestamp) return { timestamp: headers.get(timestamp.header), signatures: [value] };
	const entries = value.split(",").map((entry): [key: string, value: string] => {
		const [key = "", ...rest] = entry.split("=");
		return [key.trim(), rest.join("=").trim()];
	});
	return {
		timestamp: entries.find(([key]) => key === timestamp.listKey)?.[1] ?? null,
		signatures: entries.filter(([key]) => key === signatureKey).map(([, signature]) => signature),
	};
}
