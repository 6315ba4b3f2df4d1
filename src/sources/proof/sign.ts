/**
 * Signs a sample request as its publisher would. The counterpart of verify.ts, for sending samples through the real
 * verification. Pure.
 */
import { randomUUID } from "node:crypto";
import { headersOf } from "../../crypto/signed-content.ts";
import { signatureHeaders } from "../../crypto/standard-webhooks.ts";
import type { SourceAuth } from "../../store/records.ts";
import type { SignatureScheme } from "./signature-scheme.ts";
import { schemeOf, signatureHeadersOf } from "./signature-schemes.ts";
import { isPublicKey } from "../../crypto/verify-standard-webhooks.ts";

export interface Proof {
	headers: Record<string, string>;
	/** The query to append to the URL. */
	query?: string;
	/** The body including the proof, if the body contains it. */
	body?: string;
}

/** An unsigned request. */
export interface Unsigned {
	/** The URL of the request. */
	url: string;
	headers: Record<string, string>;
	body: string | Uint8Array;
}

/** Signs a request. Returns null if only the provider can sign (stand-in.ts). `now` in ms since the epoch. */
export function sign(auth: SourceAuth, secret: string, request: Unsigned, now: number): Proof | null {
	switch (auth.type) {
		case "none":
			return { headers: {} };
		case "sns":
		case "google_oidc":
		case "aws_keys":
			return null;
		case "bearer":
			return { headers: { authorization: `Bearer ${secret}` } };
		case "basic": {
			const credentials = Buffer.from(`${auth.username}:${secret}`).toString("base64");
			return { headers: { authorization: `Basic ${credentials}` } };
		}
		case "header":
			return { headers: { [auth.name]: secret } };
		case "url_token":
			return { headers: {}, query: `?token=${encodeURIComponent(secret)}` };
		case "hmac":
		case "github":
		case "shopify":
		case "slack":
		case "stripe":
			return { headers: signWithHmac(schemeOf(auth), secret, request, now) };
		case "standard_webhooks": {
			if (isPublicKey(secret)) return null;
			const { body } = request;
			const message = { id: `msg_${randomUUID()}`, timestampSeconds: Math.floor(now / 1000), body };
			return { headers: signatureHeaders({ ...message, secrets: [secret] }) };
		}
	}
}

/** The value of signed headers that only the publisher would set. */
export const SAMPLE_HEADER = "sample";

/** Returns the signature, and the headers that it covers if the request lacks them. */
function signWithHmac(
	scheme: SignatureScheme,
	secret: string,
	{ url, headers: given, body }: Unsigned,
	now: number,
): Record<string, string> {
	const headers = new Headers(given);
	const missing = headersOf(scheme.content).filter((name) => !headers.has(name));
	for (const name of missing) headers.set(name, SAMPLE_HEADER);
	return {
		...Object.fromEntries(missing.map((name) => [name, SAMPLE_HEADER])),
		...signatureHeadersOf(scheme, secret, { url, headers, body: Buffer.from(body) }, now),
	};
}
