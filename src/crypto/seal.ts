/**
 * Encrypts secrets at rest with AES-256-GCM before they are stored in the database. Keys are derived from
 * ENCRYPTION_KEY, or from ADMIN_TOKEN if that is unset. Nothing else in the router encrypts.
 */
import { type KeyEnv, keyMaterials } from "./key-materials.ts";

interface SealingKey {
	/** Identifies the key that sealed a text, without revealing the key. */
	id: string;
	key: CryptoKey;
}

const VERSION = "v1";
/** 96 bits, GCM's native size. Random IVs are safe for 2^32 secrets per key (NIST SP 800-38D, 8.3). */
const IV_BYTES = 12;
const KEY_ID_BYTES = 4;

/** What the operator can do about a secret that `open` cannot decrypt. Completes a sentence. */
export const UNREADABLE =
	"was encrypted with a key that is no longer set: add the former ADMIN_TOKEN to ENCRYPTION_KEY, or replace the secret";

/** Returns `v1.{key id}.{base64url of IV and ciphertext}`. Throws if neither variable is set. */
export async function seal(env: KeyEnv, plaintext: string): Promise<string> {
	const [material] = keyMaterials(env);
	if (material === undefined)
		throw new Error("cannot store a secret: neither ENCRYPTION_KEY nor ADMIN_TOKEN is set");
	const { id, key } = await deriveKey(material);
	const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
	const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, Buffer.from(plaintext));
	return `${VERSION}.${id}.${Buffer.concat([iv, Buffer.from(ciphertext)]).toString("base64url")}`;
}

/** Returns the plaintext, or null if no configured key opens it or the format is unknown. */
export async function open(env: KeyEnv, sealed: string): Promise<string | null> {
	const [version, keyId, payload] = sealed.split(".");
	if (version !== VERSION || payload === undefined) return null;
	const bytes = Buffer.from(payload, "base64url");
	const iv = bytes.subarray(0, IV_BYTES);
	for (const material of keyMaterials(env)) {
		const { id, key } = await deriveKey(material);
		if (id !== keyId) continue;
		try {
			const plaintext = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, bytes.subarray(IV_BYTES));
			return Buffer.from(plaintext).toString();
		} catch {
			// A key with the same short id, or an altered row: another key may still open it.
		}
	}
	return null;
}

/** Cached because deriving a key costs more than decrypting. An isolate sees few keys. */
const derived = new Map<string, SealingKey>();

async function deriveKey(material: string): Promise<SealingKey> {
	const known = derived.get(material);
	if (known !== undefined) return known;
	const base = await crypto.subtle.importKey("raw", Buffer.from(material), "HKDF", false, ["deriveBits"]);
	const [keyBytes, idBytes] = await Promise.all([
		deriveBytes(base, "sluice secrets: key", 32),
		deriveBytes(base, "sluice secrets: key id", KEY_ID_BYTES),
	]);
	const key = await crypto.subtle.importKey("raw", keyBytes, "AES-GCM", false, ["encrypt", "decrypt"]);
	const made = { id: Buffer.from(idBytes).toString("hex"), key };
	derived.set(material, made);
	return made;
}

async function deriveBytes(base: CryptoKey, info: string, bytes: number): Promise<ArrayBuffer> {
	const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: Buffer.from(info) };
	return crypto.subtle.deriveBits(parameters, base, bytes * 8);
}
