/** Texts and schemas that the descriptions of several resources share. */
import * as z from "zod";
import { DEFAULT_LIMIT, MAX_LIMIT, pageQuery } from "../http/query.ts";
import type { FieldText, FieldTexts, NamedSchema } from "./operation.ts";
import { rotationSchema } from "../fields/secrets.ts";

/** A point in time as the API writes it. */
export const time = z.iso.datetime({ precision: 3 });

/** What a model server counts. */
export const usage = z.strictObject({
	input_tokens: z.number().nullable(),
	output_tokens: z.number().nullable(),
	seconds: z.number().nullable(),
});

export const TIMES = { created_at: time, updated_at: time } as const;

export const COMMON: FieldTexts = {
	id: "The router's own id.",
	status_reason:
		"Why it has this status: `manual` if a person paused it; for `quarantined`, the expression that is set aside; null while it is active.",
	unreadable:
		"Fields that are stored but cannot be read, for example because their encryption key is no longer set. Replace them. null if there are none.",
	created_at: "When the resource was created.",
	updated_at: "When the resource was last changed.",
};

const PAGE_FIELDS: FieldTexts = {
	limit: {
		text: "The maximum number of items on a page.",
		schema: { type: "integer", pattern: undefined, minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
	},
	cursor: "`next_cursor` of the previous page; leave it out for the first.",
};

/** The parameters of every list; `more`: those of one list. */
export function pageQueryOf(
	schema: z.ZodObject = z.strictObject(pageQuery),
	more: FieldTexts = {},
): NamedSchema {
	return { name: "PageQuery", schema, fields: { ...more, ...PAGE_FIELDS } };
}

export const SINCE: FieldText = {
	text: "The start of the period, inclusive.",
	schema: { format: "date-time", examples: ["2026-11-01T09:30:00Z"] },
};
export const UNTIL: FieldText = {
	text: "The end of the period, exclusive.",
	schema: { format: "date-time" },
};

export const ROTATION: NamedSchema = {
	name: "SecretRotation",
	schema: rotationSchema,
	fields: {
		secret: "The new secret; generated if left out.",
		grace_period_seconds: {
			text: "How long the former secret stays valid; 0 ends it at once.",
			schema: { default: 86_400 },
		},
	},
};

/** The codes with which a published event can be refused. */
export const CODEC_CODES = [
	"invalid_cloudevent",
	"attribute_too_long",
	"too_many_attributes",
	"nested_too_deep",
	"duplicate_member",
] as const;

export const HEADERS_OF_EVENTS: FieldTexts = {
	"Idempotency-Key": "Used as the id of an event that has none, so that a retry is the same event.",
	traceparent: "W3C trace context. It becomes an attribute of the event and is sent on to models.",
	tracestate: "The vendor part of the W3C trace context, together with `traceparent`.",
	"sluice-lineage":
		"A model server that publishes an event because of a delivery copies this header from the delivery. The router then counts hops, so that loops end.",
};

export const ACCEPTED: NamedSchema = {
	name: "Accepted",
	schema: z.union([z.strictObject({ id: z.string() }), z.strictObject({ ids: z.array(z.string()) })]),
	fields: {
		id: "The event's id, `evt_…`. The same event published twice has one id.",
		ids: "The ids of a batch, in its order.",
	},
};
