/** What routes share that know `ETag`, `If-Match` and `If-None-Match`, or `Idempotency-Key`: headers and codes. */
import type { Code } from "./codes.ts";
import type { FieldText, FieldTexts, NamedSchema, ResponseDescription } from "./operation.ts";

const ETAG: FieldText = {
	text: "Names the thing's present state, for `If-Match`.",
	schema: { examples: ['"7-5f1d3c9a"'] },
};

/** Of a change that may depend on the state that it meets; `PRECONDITION_CODES` belong to it. */
export const PRECONDITIONS: FieldTexts = {
	"If-Match": {
		text: "Changes it only in one of these states, told by `ETag`; `*`: only if it exists.",
		schema: { examples: ['"7-5f1d3c9a"'] },
	},
	"If-None-Match": {
		text: "Changes it only in none of these states; `*`: only if it does not exist yet.",
		schema: { examples: ["*"] },
	},
};

export const PRECONDITION_CODES = ["precondition_failed"] as const satisfies readonly Code[];

/** Of a POST that makes something; `ONCE_CODES` belong to it. */
export const ONCE: FieldTexts = {
	"Idempotency-Key": {
		text: "1 to 255 visible ASCII characters. The same request with the same key within 24 hours gets the first response again and makes nothing.",
		schema: { minLength: 1, maxLength: 255 },
	},
};

export const ONCE_CODES = [
	"invalid_idempotency_key",
	"idempotency_in_progress",
	"idempotency_response_unreadable",
	"idempotency_key_reused",
] as const satisfies readonly Code[];

const REPLAYED: FieldTexts = {
	"idempotency-replayed": {
		text: "`true` when this is the first response to the `Idempotency-Key` again.",
		schema: { enum: ["true"] },
	},
};

/** A response with one thing that has an `ETag`. */
export function tagged(text: string, schema: NamedSchema): ResponseDescription {
	return { text, schema, headers: { ETag: ETAG } };
}

/** The same response, of a route that takes `Idempotency-Key`. */
export function replayable(response: ResponseDescription): ResponseDescription {
	return { ...response, headers: { ...response.headers, ...REPLAYED } };
}
