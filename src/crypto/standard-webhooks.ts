/**
 * Standard Webhooks 1.0 signatures, and their secrets
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
/** Ed25519: a seed, and the public key derived from it. */
const SEED_BYTES = 32;
const PRIVATE_KEY_BYTES = 64;

/** The content to sign: `{id}.{timestamp}.{body}`. */
export interface SignedMessage {
	/** The delivery's id, the same for every attempt. Contains no dot. */
	id: string;
	/** The time of this attempt, in seconds since the epoch. */
	timestampSeconds: number;
	/** The exact request body. A string is encoded as UTF-8. */
	body: string | Uint8Array;
	/** `whsec_…` (v1, HMAC-SHA256) or `whsk_…` (v1a, Ed25519), newest first. Each makes one signature. */
	secrets: readonly string[];
}

/**
 * Returns the three `webhook-*` headers. Throws if there is no secret: requests are never sent unsigned, and an
 * endpoint without a valid secret (`refuseSigningSecret`) is a bug.
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

/** Returns a new secret for `v1` signatures: 32 random bytes. */
export function generateSigningSecret(): string {
	return SYMMETRIC + randomBytes(32).toString("base64");
}

/** Returns why `secret` is not a valid signing secret, for the person who entered it, or null if it is valid. */
export function refuseSigningSecret(secret: string): string | null {
	const prefix = [SYMMETRIC, ASYMMETRIC].find((known) => secret.startsWith(known));
	if (prefix === undefined) return `must begin with ${SYMMETRIC} or ${ASYMMETRIC}`;
	const bytes = decodeBase64(secret.slice(prefix.length));
	if (bytes === null) return `must be standard base64, with padding, after ${prefix}`;
	return prefix === SYMMETRIC ? refuseHmacKey(bytes) : refuseEd25519Key(bytes);
}

function refuseHmacKey(bytes: Buffer): string | null {
	return bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES
		? `must contain ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, but contains ${bytes.length}`
		: null;
}

function refuseEd25519Key(bytes: Buffer): string | null {
	if (bytes.length !== PRIVATE_KEY_BYTES) {
		return `must contain ${PRIVATE_KEY_BYTES} bytes (seed and public key), but contains ${bytes.length}`;
	}
	// With a wrong public key, receivers would reject every signature.
	const ofSeed = createPublicKey(privateKey(bytes.subarray(0, SEED_BYTES))).export({ format: "jwk" }).x;
	return ofSeed === bytes.subarray(SEED_BYTES).toString("base64url")
		? null
		: "must end with the public key that belongs to its seed";
}

/** Returns the values that are valid at `now` (ms), in the given order: newest first. */
export function liveSecrets(secrets: readonly LiveSecret[], now: number): string[] {
	return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ value }) => value);
}

/** The DER prefix of a raw seed (RFC 8410, section 7): version, algorithm 1.3.101.112, octet string. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

function privateKey(seed: Uint8Array): KeyObject {
	return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
}

/** Returns null unless `text` is valid base64. Node's decoder would skip invalid characters. */
function decodeBase64(text: string): Buffer | null {
	const bytes = Buffer.from(text, "base64");
	return bytes.toString("base64") === text ? bytes : null;
}
