/**
 * Signatures that the router both makes and verifies, for values that it gets back unchanged.
 * HMAC-SHA-256 with keys derived from ENCRYPTION_KEY and ADMIN_TOKEN, one for each purpose.
 */
import { createHmac, pbkdf2Sync } from "node:crypto";
import { isSameDigest } from "./compare.ts";
import { type KeyEnv, keyMaterials } from "./key-materials.ts";

/** What is signed. A signature for one purpose is not valid for another. */
export type Purpose = "lineage" | "callback" | "idempotency";

/** Returns a base64url signature made with the first key, or null if no key is set. */
export function signOwn(env: KeyEnv, purpose: Purpose, text: string): string | null {
	const [material] = keyMaterials(env);
	return material === undefined ? null : hmac(material, purpose, text).toString("base64url");
}

/** Returns whether one of the configured keys made `signature`. */
export function isOwnSignature(env: KeyEnv, purpose: Purpose, text: string, signature: string): boolean {
	const given = Buffer.from(signature, "base64url");
	return keyMaterials(env).some((material) => isSameDigest(given, hmac(material, purpose, text)));
}

function hmac(material: string, purpose: Purpose, text: string): Buffer {
	return createHmac("sha256", keyFor(material, purpose)).update(text).digest();
}

/**
 * Endpoints see signatures and could use one for a dictionary attack on the token. This is the maximum that Workers
 * allow and takes some tens of milliseconds; it makes each guess a hundred thousand times as expensive.
 */
const ITERATIONS = 100_000;
/** Derived once per key and isolate. An isolate sees few keys. */
const derived = new Map<string, Buffer>();

function keyFor(material: string, purpose: Purpose): Buffer {
	const name = `${purpose}\n${material}`;
	const known = derived.get(name);
	if (known !== undefined) return known;
	const key = pbkdf2Sync(material, `sluice ${purpose}: signature`, ITERATIONS, 32, "sha256");
	derived.set(name, key);
	return key;
}
