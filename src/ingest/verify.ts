/**
 * Whether a request comes from the publisher that the source was made for. The raw bytes and the clock come in,
 * yes or no goes out. Why it is no is nobody's business but the operator's.
 */
import { createHmac } from "node:crypto";
import type { Source, SourceAuth } from "../store/records.ts";
import { isSameDigest, isSameSecret } from "./compare.ts";
import { verifyStandardWebhook } from "./standard-webhooks.ts";

export interface SignedRequest {
	headers: Headers;
	url: URL;
	/** The body as it came over the wire. */
	body: Uint8Array;
	/** ms since the epoch. */
	now: number;
}

/** Tries every secret that is still valid, so that publisher and source can rotate one after the other. */
export async function verify({ auth, secrets }: Source, request: SignedRequest): Promise<boolean> {
	if (auth.type === "none") return true;
	return secrets.some(
		({ value, expiresAt }) =>
			value !== "" && (expiresAt === null || expiresAt > request.now) && proves(auth, value, request),
	);
}

type ProvingAuth = Exclude<SourceAuth, { type: "none" }>;

function proves(auth: ProvingAuth, secret: string, { headers, url, body, now }: SignedRequest): boolean {
	switch (auth.type) {
		case "bearer":
			return matches(credentials(headers, "bearer"), secret);
		case "basic":
			return matches(decodeBasic(credentials(headers, "basic")), `${auth.username}:${secret}`);
		case "header":
			return matches(headers.get(auth.name), secret);
		case "url_token":
			return matches(url.searchParams.get("token"), secret);
		case "hmac":
			return verifyHmac(auth, headers.get(auth.header), body, secret);
		case "standard_webhooks":
			return verifyStandardWebhook(headers, body, secret, now);
	}
}

function matches(given: string | null, secret: string): boolean {
	return given !== null && isSameSecret(given, secret);
}

/** What follows the scheme, whose name knows no case (RFC 9110, section 11.1). */
function credentials(headers: Headers, scheme: "bearer" | "basic"): string | null {
	const [, given, value] = /^(\S+) +(.+)$/.exec(headers.get("authorization") ?? "") ?? [];
	return value !== undefined && given?.toLowerCase() === scheme ? value : null;
}

function decodeBasic(encoded: string | null): string | null {
	return encoded === null ? null : Buffer.from(encoded, "base64").toString();
}

type HmacAuth = Extract<SourceAuth, { type: "hmac" }>;

function verifyHmac(
	{ algorithm, encoding, prefix }: HmacAuth,
	header: string | null,
	body: Uint8Array,
	secret: string,
): boolean {
	if (header === null || !header.startsWith(prefix)) return false;
	const signature = Buffer.from(header.slice(prefix.length), encoding);
	return isSameDigest(signature, createHmac(algorithm, secret).update(body).digest());
}

/** The `www-authenticate` header of a 401 where HTTP knows the scheme. */
export function challengeFor({ type }: SourceAuth): Record<string, string> {
	if (type === "bearer") return { "www-authenticate": "Bearer" };
	if (type === "basic") return { "www-authenticate": 'Basic realm="sluice", charset="UTF-8"' };
	return {};
}
