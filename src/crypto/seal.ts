/**
 * Secrets at rest: sealed with AES-256-GCM before they reach a database row. The keys come from ENCRYPTION_KEY,
 * or from ADMIN_TOKEN while that is unset. Nothing else in the router encrypts.
 */
import { type KeyEnv, keyMaterials } from "./key-materials.ts";

interface SealingKey {
	/** Says which key sealed a text, without telling anything of the key. */
	id: string;
	key: CryptoKey;
}

const VERSION = "v1";
/** 96 bits, the size GCM is made for; random ones may seal 2^32 secrets with one key (NIST SP 800-38D, 8.3). */
const IV_BYTES = 12;
const KEY_ID_BYTES = 4;

/** What the operator can do about a secret that `open` cannot open; the end of a sentence. */
export const UNREADABLE =
	"was encrypted with a key that is no longer set: add the former ADMIN_TOKEN to ENCRYPTION_KEY, or replace the secret";

/** `v1.{key id}.{base64url of IV and ciphertext}`. Throws when neither variable is set. */
export async function seal(env: KeyEnv, plaintext: string): Promise<string> {
	const [material] = keyMaterials(env);
	if (material === undefined)
		throw new Error("cannot store a secret: neither ENCRYPTION_KEY nor ADMIN_TOKEN is set");
	const { id, key } = await deriveKey(material);
	const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
	const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, Buffer.from(plaintext));
	return `${VERSION}.${id}.${Buffer.concat([iv, Buffer.from(ciphertext)]).toString("base64url")}`;
}

/** null when no key that is set opens it, or it is no sealed text that this release knows. */
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

/** Deriving costs more than opening; an isolate sees few keys in its life. */
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
