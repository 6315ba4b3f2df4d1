/**
 * Proves a request of our own as its publisher would: the other side of verify.ts, for sending samples through the
 * real verification. Pure.
 */
import { randomUUID } from "node:crypto";
import { signatureHeaders } from "../../crypto/standard-webhooks.ts";
import type { SourceAuth } from "../../store/records.ts";
import { schemeOf, signatureHeadersOf } from "./signature-schemes.ts";
import { isPublicKey } from "./standard-webhooks.ts";

export interface Proof {
	headers: Record<string, string>;
	/** To be appended to the URL. */
	query?: string;
	/** The body with the proof inside, where that is its place. */
	body?: string;
}

/** null when only the provider can sign (stand-in.ts). `now` in ms since the epoch. */
export function sign(auth: SourceAuth, secret: string, body: string | Uint8Array, now: number): Proof | null {
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
			return { headers: signatureHeadersOf(schemeOf(auth), secret, body, now) };
		case "standard_webhooks": {
			if (isPublicKey(secret)) return null;
			const message = { id: `msg_${randomUUID()}`, timestampSeconds: Math.floor(now / 1000), body };
			return { headers: signatureHeaders({ ...message, secrets: [secret] }) };
		}
	}
}
