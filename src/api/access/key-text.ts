/**
 * The text of an API key: `sluice_`, the unique part of its id, and 32 random bytes. Secret
 * scanners recognise its form, and the id shows which key to delete. With this much randomness a
 * plain hash needs no salt and no key stretching.
 */
import { createHash, randomBytes } from "node:crypto";
import { isSameDigest } from "../../crypto/compare.ts";

const SECRET_BYTES = 32;
const KEY_TEXT = /^sluice_([0-9a-z]{10})_[A-Za-z0-9_-]{43}$/;

/** A new key with this id (`key_…`), to be shown once. */
export function newKeyText(id: string): string {
	return `sluice_${id.slice("key_".length)}_${randomBytes(SECRET_BYTES).toString("base64url")}`;
}

/** The id that a key contains; null if the text is not a key. */
export function keyIdOf(text: string): string | null {
	const handle = KEY_TEXT.exec(text)?.[1];
	return handle === undefined ? null : `key_${handle}`;
}

/** SHA-256, hex: the stored form of a key. */
export function hashOfKey(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}

/** In constant time. `hash` is a result of `hashOfKey`. */
export function isKeyOf(text: string, hash: string): boolean {
	return isSameDigest(Buffer.from(hashOfKey(text), "hex"), Buffer.from(hash, "hex"));
}
