/**
 * Publishers' ids as event ids. Two ids must never become equal, or the second event would be lost as a duplicate: a
 * value that cannot be an attribute is hashed, never truncated, and a value that lost characters in transit is not
 * used.
 */
import { isExactHeader } from "../../events/cloudevents/header-value.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { isUsableText } from "./attribute-values.ts";
import { contentHash } from "./content-hash.ts";

/** Returns undefined unless the value is a non-empty string. */
export function idFrom(value: unknown): string | undefined {
	if (typeof value !== "string" || value === "") return undefined;
	return isUsableText(value) ? value : contentHash(value);
}

/**
 * Returns undefined if the header is missing, empty or not UTF-8. In the last case the event gets a unique id, so that
 * a publisher that cannot change its header is not refused for ever.
 */
export function idFromHeader(headers: Headers, name: string): string | undefined {
	const value = headers.get(name);
	return value !== null && isExactHeader(value) ? idFrom(value) : undefined;
}

/**
 * Reads the header `Idempotency-Key`. Refuses with 400 `invalid_header` if it is not UTF-8, because the sender relies
 * on it.
 */
export function readIdempotencyKey(headers: Headers): { ok: true; id: string | undefined } | Refusal {
	const name = "idempotency-key";
	const value = headers.get(name);
	if (value === null || isExactHeader(value)) return { ok: true, id: idFrom(value) };
	return refuse(400, "invalid_header", "The header Idempotency-Key is not UTF-8. Send it in ASCII.", name);
}
