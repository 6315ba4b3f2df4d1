/** The id of an event without a publisher's id: a hash of its content, so that equal events have equal ids. */
import { createHash } from "node:crypto";

/**
 * Returns SHA-256 in hex. The hash includes the lengths, so that different lists of parts have different inputs. UTF-8
 * would replace all lone surrogates by the same character; JSON escapes each of them.
 */
export function contentHash(...parts: string[]): string {
	const digest = createHash("sha256");
	for (const part of parts) {
		digest.update(`${part.length}:${part.isWellFormed() ? part : JSON.stringify(part)}\n`);
	}
	return digest.digest("hex");
}
