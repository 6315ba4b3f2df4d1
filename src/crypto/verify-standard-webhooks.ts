/**
 * Verifies Standard Webhooks 1.0 signatures: `v1` (HMAC-SHA256) or `v1a` (Ed25519) over `id.timestamp.body`. The
 * `svix-` header names are accepted too.
 */
import { createHmac, createPublicKey, verify } from "node:crypto";
import { isSameDigest } from "./compare.ts";
import { isFresh } from "./freshness.ts";

const PUBLIC_KEY = "whpk_";
const PUBLIC_KEY_BYTES = 32;
/** No sender rotates more keys at once, and each Ed25519 check costs time. */
const MAX_SIGNATURES = 20;
/** The DER prefix of a raw Ed25519 public key (RFC 8410, section 4): algorithm 1.3.101.112, bit string. */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

interface WebhookHeaders {
	id: string;
	/** Seconds since the epoch, as received. */
	timestamp: string;
	/** `version,base64` each. */
	signatures: string[];
}

/** Returns the three headers, under either prefix, or null if one is missing. */
function readWebhookHeaders(headers: Headers): WebhookHeaders | null {
	const family = headers.has("webhook-id") ? "webhook" : "svix";
	const id = headers.get(`${family}-id`);
	const timestamp = headers.get(`${family}-timestamp`);
	const signatures = headers.get(`${family}-signature`);
	if (id === null || timestamp === null || signatures === null) return null;
	return { id, timestamp, signatures: signatures.split(" ", MAX_SIGNATURES) };
}

/** Verifies a body that arrives in chunks. */
export interface StreamedProof {
	update(chunk: Uint8Array): void;
	isProven(): boolean;
}

/**
 * Like `verifyStandardWebhook`, for a body that is never whole in memory. Returns null for a public key: Ed25519 cannot
 * verify a stream.
 */
export function streamedStandardWebhook(
	headers: Headers,
	secret: string,
	now: number,
	maxAgeSeconds?: number,
): StreamedProof | null {
	if (isPublicKey(secret)) return null;
	const sent = readFreshHeaders(headers, now, maxAgeSeconds);
	const key = sharedKey(secret);
	if (sent === null || key === null) return UNPROVEN;
	const hmac = createHmac("sha256", key).update(`${sent.id}.${sent.timestamp}.`);
	return {
		update: (chunk) => void hmac.update(chunk),
		isProven() {
			const expected = hmac.digest();
			return isSigned(sent, "v1", (signature) => isSameDigest(signature, expected));
		},
	};
}

const UNPROVEN: StreamedProof = { update: () => undefined, isProven: () => false };

/**
 * Verifies a request. For `v1`, `secret` is `whsec_` and the key in base64 (or only the base64); for `v1a` it is
 * `whpk_` and the sender's public key in base64. `now` in ms since the epoch; `maxAgeSeconds` as in `isFresh`.
 */
export function verifyStandardWebhook(
	headers: Headers,
	body: Uint8Array,
	secret: string,
	now: number,
	maxAgeSeconds?: number,
): boolean {
	const streamed = streamedStandardWebhook(headers, secret, now, maxAgeSeconds);
	if (streamed !== null) {
		streamed.update(body);
		return streamed.isProven();
	}
	const sent = readFreshHeaders(headers, now, maxAgeSeconds);
	if (sent === null) return false;
	const signed = Buffer.concat([Buffer.from(`${sent.id}.${sent.timestamp}.`), body]);
	return isSigned(sent, "v1a", verifierOfPublicKey(secret, signed));
}

/** Returns null if the headers are missing, malformed or stale, so that no body could be valid. */
function readFreshHeaders(headers: Headers, now: number, maxAgeSeconds?: number): WebhookHeaders | null {
	const sent = readWebhookHeaders(headers);
	if (sent === null) return null;
	// A dot in the id could move the border between id, timestamp and body under the same signature.
	return sent.id === "" || sent.id.includes(".") || !isFresh(sent.timestamp, now, maxAgeSeconds)
		? null
		: sent;
}

function isSigned({ signatures }: WebhookHeaders, version: "v1" | "v1a", proves: Verifier): boolean {
	return signatures.some((entry) => {
		const [given, signature = ""] = entry.split(",");
		return given === version && proves(Buffer.from(signature, "base64"));
	});
}

type Verifier = (signature: Uint8Array) => boolean;

/** Returns null for an empty key, with which anyone could make a valid signature. */
function sharedKey(secret: string): Buffer | null {
	const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
	return key.byteLength === 0 ? null : key;
}

function verifierOfPublicKey(secret: string, signed: Uint8Array): Verifier {
	const der = Buffer.concat([SPKI_HEAD, Buffer.from(secret.slice(PUBLIC_KEY.length), "base64")]);
	const key = createPublicKey({ key: der, format: "der", type: "spki" });
	return (signature) => verify(null, signed, key, signature);
}

/** Returns whether the secret is a public key, which can only verify: the sender keeps the private key. */
export function isPublicKey(secret: string): boolean {
	return secret.startsWith(PUBLIC_KEY);
}

/**
 * Returns what is wrong with a public key that begins with `whpk_`, for the person who entered it, or null if valid.
 */
export function refusePublicKey(secret: string): string | null {
	const text = secret.slice(PUBLIC_KEY.length);
	const bytes = Buffer.from(text, "base64");
	// Node's decoder skips what is not base64.
	if (bytes.toString("base64") !== text) return `must be standard base64, with padding, after ${PUBLIC_KEY}`;
	if (bytes.byteLength === PUBLIC_KEY_BYTES) return null;
	return `must contain ${PUBLIC_KEY_BYTES} bytes, but contains ${bytes.byteLength}`;
}
