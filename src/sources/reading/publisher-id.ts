/**
 * What a publisher calls its event, as the id of that event. Two ids must never become one, or the second event is
 * taken for a repeat of the first and lost: what cannot stand in an attribute is hashed and never cut, and what has
 * lost letters on its way here is no id.
 */
import { isExactHeader } from "../../events/cloudevents/header-value.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { isUsableText } from "./attribute-values.ts";
import { contentHash } from "./content-hash.ts";

/** undefined for anything but a text that is not empty. */
export function idFrom(value: unknown): string | undefined {
	if (typeof value !== "string" || value === "") return undefined;
	return isUsableText(value) ? value : contentHash(value);
}

/**
 * undefined where the header is missing or empty, and where it is not UTF-8: a publisher that cannot send another is
 * not refused for ever, its event gets an id that no other has.
 */
export function idFromHeader(headers: Headers, name: string): string | undefined {
	const value = headers.get(name);
	return value !== null && isExactHeader(value) ? idFrom(value) : undefined;
}

/**
 * The header `Idempotency-Key`. Refuses with 400 `invalid_header` one that is not UTF-8, because whoever sends a key
 * counts on it.
 */
export function readIdempotencyKey(headers: Headers): { ok: true; id: string | undefined } | Refusal {
	const name = "idempotency-key";
	const value = headers.get(name);
	if (value === null || isExactHeader(value)) return { ok: true, id: idFrom(value) };
	return refuse(400, "invalid_header", "The header Idempotency-Key is not UTF-8; send it in ASCII.", name);
}
