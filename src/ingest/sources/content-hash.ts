/** The id of an event whose publisher gave it none: what it says, so that the same is the same. */
import { createHash } from "node:crypto";

/**
 * SHA-256 in hex. Lengths are hashed along, so that no two lists of parts read the same. UTF-8 has no lone
 * surrogates, which would all be one there; JSON spells each out.
 */
export function contentHash(...parts: string[]): string {
	const digest = createHash("sha256");
	for (const part of parts) {
		digest.update(`${part.length}:${part.isWellFormed() ? part : JSON.stringify(part)}\n`);
	}
	return digest.digest("hex");
}
