/** The schemas of the dead-letter routes. */
import * as z from "zod";
import { DEAD_LETTER_CODES } from "../../dead-letters/diagnosis.ts";
import { BODY_KINDS } from "../../dead-letters/rpc.ts";
import { pageQuery } from "../http/query.ts";
import { time } from "../openapi/shared.ts";

export const deadLetterListQuery = z.strictObject(pageQuery);

export const deadLetterSchema = z.strictObject({
	id: z.string().describe("The id of the dead letter (dead_…)."),
	source: z.string().nullable().describe("The source's current name; null: unknown, or deleted."),
	source_id: z.string().nullable().describe("The source's id; null: unknown."),
	event_ids: z.array(z.string()).describe("The ids of the first 100 events; empty if they are unknown."),
	event_count: z.int().nullable().describe("Events in the message; null: unknown."),
	error: z
		.strictObject({
			code: z
				.enum(DEAD_LETTER_CODES)
				.describe(
					"`unreadable`: the message cannot be read. `routing_failed`: it can be read, but could not be routed.",
				),
			message: z.string().describe("A description of the error."),
		})
		.describe("The error found when the message was read again."),
	queued_at: time.describe("When the message entered the dead-letter queue."),
	received_at: time.describe("When the message was taken out of that queue and stored."),
});

export const wholeDeadLetterSchema = deadLetterSchema.extend({
	body_type: z.enum(BODY_KINDS).describe("The type of the body. `bytes` is in base64."),
	body: z.string().describe("The body as it was in the queue; bytes in base64."),
});
