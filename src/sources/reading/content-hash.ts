/** The id of an event whose publisher gave it none: what it says, so that the same is the same. */
import { createHash } from "node:crypto";

/**
 * SHA-256 in hex. Lengths are hashed too, so that two different lists of parts never hash the same input. UTF-8 would
 * turn all lone surrogates into the same character; JSON escapes each of them.
 */
export function contentHash(...parts: string[]): string {
	const digest = createHash("sha256");
	for (const part of parts) {
		digest.update(`${part.length}:${part.isWellFormed() ? part : JSON.stringify(part)}\n`);
	}
	return digest.digest("hex");
}
