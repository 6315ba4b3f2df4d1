/**
 * Proves a request of our own as its publisher would: the other side of verify.ts, for sending samples through the
 * real verification. Pure.
 */
import { createHmac, randomUUID } from "node:crypto";
import { signatureHeaders } from "../standard-webhooks.ts";
import type { SourceAuth } from "../store/records.ts";

export interface Proof {
	headers: Record<string, string>;
	/** To be appended to the URL. */
	query?: string;
}

/** null when only the provider can sign. `now` in ms since the epoch. */
export function sign(auth: SourceAuth, secret: string, body: string, now: number): Proof | null {
	switch (auth.type) {
		case "none":
			return { headers: {} };
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
		case "hmac": {
			const signature = createHmac(auth.algorithm, secret).update(body).digest(auth.encoding);
			return { headers: { [auth.header]: `${auth.prefix}${signature}` } };
		}
		case "standard_webhooks": {
			const message = { id: `msg_${randomUUID()}`, timestampSeconds: Math.floor(now / 1000), body };
			return { headers: signatureHeaders({ ...message, secrets: [secret] }) };
		}
	}
}
