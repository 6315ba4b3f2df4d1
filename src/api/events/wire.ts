/** An event in the request that publishes it, with the texts of its fields, for the API description. */
import { type NamedSchema, namedObject } from "../openapi/operation.ts";
import { plainEventSchema } from "./publishing.ts";

/** At most 1,024 bytes, and so at most this many characters. */
const ATTRIBUTE = { minLength: 1, maxLength: 1_024 };

export const PUBLISHED: NamedSchema = namedObject("EventPublish", plainEventSchema, {
	type: { text: "The event's type.", schema: { ...ATTRIBUTE, examples: ["order.paid"] } },
	source: { text: "The CloudEvents source.", schema: { ...ATTRIBUTE, default: "/sources/api" } },
	subject: { text: "What the event is about.", schema: ATTRIBUTE },
	id: {
		text: "Identifies the event, so that a retry is the same event. By default the header `Idempotency-Key`, otherwise a new UUID.",
		schema: ATTRIBUTE,
	},
	time: { text: "When it happened; by default now.", schema: { format: "date-time" } },
	datacontenttype: { text: "The content type of `data`.", schema: ATTRIBUTE },
	dataschema: { text: "A URI of the schema of `data`.", schema: { ...ATTRIBUTE, format: "uri" } },
	data: "The payload: any JSON.",
});
