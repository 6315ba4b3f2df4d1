/** An event as it is published, with the texts of its fields: for the description. */
import { type NamedSchema, namedObject } from "../openapi/operation.ts";
import { plainEventSchema } from "./publishing.ts";

export const PUBLISHED: NamedSchema = namedObject("EventPublish", plainEventSchema, {
	type: { text: "The event's type.", schema: { minLength: 1, examples: ["order.paid"] } },
	source: { text: "The CloudEvents source.", schema: { default: "/sources/api" } },
	subject: "What the event is about.",
	id: "Makes a retry the same event; by default `Idempotency-Key`, else a new UUID.",
	time: { text: "When it happened; by default now.", schema: { format: "date-time" } },
	datacontenttype: "The content type of `data`.",
	dataschema: { text: "A URI of the schema of `data`.", schema: { format: "uri" } },
	data: "The payload: any JSON.",
});
