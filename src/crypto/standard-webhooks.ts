/**
 * Standard Webhooks 1.0 signatures, and the secrets that make them
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 */
import {
	type KeyObject,
	createHmac,
	createPrivateKey,
	createPublicKey,
	randomBytes,
	sign,
} from "node:crypto";
import type { LiveSecret } from "./live-secret.ts";

const SYMMETRIC = "whsec_";
const ASYMMETRIC = "whsk_";
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
/** Ed25519: a seed, and the public key that follows from it. */
const SEED_BYTES = 32;
const PRIVATE_KEY_BYTES = 64;

/** What is signed: `{id}.{timestamp}.{body}`. */
export interface SignedMessage {
	/** The delivery's id, the same for every attempt; without a dot. */
	id: string;
	/** Of this attempt, in seconds since the epoch. */
	timestampSeconds: number;
	/** Exactly what is sent; a string stands for its UTF-8 bytes. */
	body: string | Uint8Array;
	/** `whsec_…` (v1, HMAC-SHA256) or `whsk_…` (v1a, Ed25519), newest first; one signature is made with each. */
	secrets: readonly string[];
}

/**
 * The three `webhook-*` headers. Throws when there is no secret: nothing is sent unsigned, and storing an
 * endpoint without a secret, or with one that `refuseSigningSecret` refuses, is a bug.
 */
export function signatureHeaders({
	id,
	timestampSeconds,
	body,
	secrets,
}: SignedMessage): Record<string, string> {
	if (secrets.length === 0) throw new Error("a request cannot be signed without a secret");
	const timestamp = String(timestampSeconds);
	const bytes = typeof body === "string" ? Buffer.from(body) : body;
	const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes]);
	return {
		"webhook-id": id,
		"webhook-timestamp": timestamp,
		"webhook-signature": secrets.map((secret) => signature(secret, signed)).join(" "),
	};
}

function signature(secret: string, signed: Uint8Array): string {
	if (secret.startsWith(SYMMETRIC)) {
		const key = Buffer.from(secret.slice(SYMMETRIC.length), "base64");
		return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
	}
	const seed = Buffer.from(secret.slice(ASYMMETRIC.length), "base64").subarray(0, SEED_BYTES);
	return `v1a,${sign(null, signed, privateKey(seed)).toString("base64")}`;
}

/** A new secret for `v1` signatures: 32 random bytes. */
export function generateSigningSecret(): string {
	return SYMMETRIC + randomBytes(32).toString("base64");
}

/** Why `secret` cannot sign, for the person who gave it; null when it can. */
export function refuseSigningSecret(secret: string): string | null {
	const prefix = [SYMMETRIC, ASYMMETRIC].find((known) => secret.startsWith(known));
	if (prefix === undefined) return `must begin with ${SYMMETRIC} or ${ASYMMETRIC}`;
	const bytes = decodeBase64(secret.slice(prefix.length));
	if (bytes === null) return `must be standard base64, with padding, after ${prefix}`;
	return prefix === SYMMETRIC ? refuseHmacKey(bytes) : refuseEd25519Key(bytes);
}

function refuseHmacKey(bytes: Buffer): string | null {
	return bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES
		? `must hold ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, and holds ${bytes.length}`
		: null;
}

function refuseEd25519Key(bytes: Buffer): string | null {
	if (bytes.length !== PRIVATE_KEY_BYTES) {
		return `must hold ${PRIVATE_KEY_BYTES} bytes (seed and public key), and holds ${bytes.length}`;
	}
	// With a wrong public half every signature would be one that no receiver accepts.
	const ofSeed = createPublicKey(privateKey(bytes.subarray(0, SEED_BYTES))).export({ format: "jwk" }).x;
	return ofSeed === bytes.subarray(SEED_BYTES).toString("base64url")
		? null
		: "must end in the public key that belongs to its seed";
}

/** The values that are valid at `now` (ms), in the order they came: newest first. */
export function liveSecrets(secrets: readonly LiveSecret[], now: number): string[] {
	return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ value }) => value);
}

/** The DER wrapping of a bare seed (RFC 8410, section 7): version, algorithm 1.3.101.112, octet string. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

function privateKey(seed: Uint8Array): KeyObject {
	return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
}

/** null unless `text` is exactly the base64 of some bytes: Node's own decoder skips what it does not know. */
function decodeBase64(text: string): Buffer | null {
	const bytes = Buffer.from(text, "base64");
	return bytes.toString("base64") === text ? bytes : null;
}
