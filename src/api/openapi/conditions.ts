/** Headers and codes of routes that support `ETag`, `If-Match` and `If-None-Match`, or `Idempotency-Key`. */
import type { Code } from "./codes.ts";
import type { FieldText, FieldTexts, NamedSchema, ResponseDescription } from "./operation.ts";

const ETAG: FieldText = {
	text: "Identifies the present state of the resource. Opaque; send it as `If-Match`.",
	schema: { examples: ['"7-5f1d3c9a"'] },
};

/** For changes that can depend on the present state of the resource; used with `PRECONDITION_CODES`. */
export const PRECONDITIONS: FieldTexts = {
	"If-Match": {
		text: "Changes the resource only if its `ETag` is one of these; `*`: only if it exists. Otherwise 412.",
		schema: { examples: ['"7-5f1d3c9a"'] },
	},
	"If-None-Match": {
		text: "Changes the resource only if its `ETag` is none of these; `*`: only if it does not exist yet. Otherwise 412.",
		schema: { examples: ["*"] },
	},
};

export const PRECONDITION_CODES = ["precondition_failed"] as const satisfies readonly Code[];

/** For POSTs that create something; used with `ONCE_CODES`. */
export const ONCE: FieldTexts = {
	"Idempotency-Key": {
		text: "1 to 255 visible ASCII characters of your choice. If you send the same request with the same key within 24 hours, you get the first response again and nothing is created.",
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
		text: "`true` when this is the stored first response to the same `Idempotency-Key`.",
		schema: { enum: ["true"] },
	},
};

/** A response with one resource and its `ETag`. */
export function tagged(text: string, schema: NamedSchema): ResponseDescription {
	return { text, schema, headers: { ETag: ETAG } };
}

/** The same response of a route that supports `Idempotency-Key`. */
export function replayable(response: ResponseDescription): ResponseDescription {
	return { ...response, headers: { ...response.headers, ...REPLAYED } };
}
