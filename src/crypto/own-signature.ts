/**
 * Signatures that the router itself verifies: what leaves it with one comes back unchanged, or counts as not signed.
 * HMAC-SHA-256 with keys derived from ENCRYPTION_KEY and ADMIN_TOKEN, one for each purpose.
 */
import { createHmac, pbkdf2Sync } from "node:crypto";
import { isSameDigest } from "./compare.ts";
import { type KeyEnv, keyMaterials } from "./key-materials.ts";

/** Names what is signed, so that a signature for one thing is none for another. */
export type Purpose = "lineage" | "callback";

/** In base64url, made with the first key; null while no key is set. */
export function signOwn(env: KeyEnv, purpose: Purpose, text: string): string | null {
	const [material] = keyMaterials(env);
	return material === undefined ? null : hmac(material, purpose, text).toString("base64url");
}

/** Whether one of the keys that are set made `signature`. */
export function isOwnSignature(env: KeyEnv, purpose: Purpose, text: string, signature: string): boolean {
	const given = Buffer.from(signature, "base64url");
	return keyMaterials(env).some((material) => isSameDigest(given, hmac(material, purpose, text)));
}

function hmac(material: string, purpose: Purpose, text: string): Buffer {
	return createHmac("sha256", keyFor(material, purpose)).update(text).digest();
}

/**
 * Endpoints see signatures, and could try words for a token against one. The most that Workers allow, some tens of
 * milliseconds: a weak token is still a weak token, but takes a hundred thousand times as long to find.
 */
const ITERATIONS = 100_000;
/** Once for each key in the life of an isolate, which sees few. */
const derived = new Map<string, Buffer>();

function keyFor(material: string, purpose: Purpose): Buffer {
	const name = `${purpose}\n${material}`;
	const known = derived.get(name);
	if (known !== undefined) return known;
	const key = pbkdf2Sync(material, `sluice ${purpose}: signature`, ITERATIONS, 32, "sha256");
	derived.set(name, key);
	return key;
}
