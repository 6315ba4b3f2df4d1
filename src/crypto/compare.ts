/** Constant-time comparison of secrets. */
import { createHash, timingSafeEqual } from "node:crypto";

/** Hashes both sides, so that the timing reveals neither the content nor the length of the expected text. */
export function isSameSecret(given: string, expected: string): boolean {
	return timingSafeEqual(sha256(given), sha256(expected));
}

/** For signatures, whose length is not secret. */
export function isSameDigest(given: Uint8Array, expected: Uint8Array): boolean {
	return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
}

function sha256(text: string): Uint8Array {
	return createHash("sha256").update(text).digest();
}
