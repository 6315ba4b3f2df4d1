/** Comparing secrets in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";

/** Both sides are hashed, so that neither the content nor the length of the expected text shows in the time. */
export function isSameSecret(given: string, expected: string): boolean {
	return timingSafeEqual(sha256(given), sha256(expected));
}

/** For signatures, whose length is no secret. */
export function isSameDigest(given: Uint8Array, expected: Uint8Array): boolean {
	return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
}

function sha256(text: string): Uint8Array {
	return createHash("sha256").update(text).digest();
}
