/** The schemas of the dead-letter routes. */
import * as z from "zod";
import { DEAD_LETTER_CODES } from "../../dead-letters/diagnosis.ts";
import { BODY_KINDS } from "../../dead-letters/rpc.ts";
import { pageQuery } from "../http/query.ts";
import { time } from "../openapi/shared.ts";

export const deadLetterListQuery = z.strictObject(pageQuery);

export const deadLetterSchema = z.strictObject({
	id: z.string().describe("dead_…"),
	source: z.string().nullable().describe("As it is called now; null: unknown, or deleted."),
	source_id: z.string().nullable().describe("The source's id; null: unknown."),
	event_ids: z.array(z.string()).describe("The first 100; none where the message does not tell."),
	event_count: z.int().nullable().describe("Events in the message; null: unknown."),
	error: z
		.strictObject({
			code: z
				.enum(DEAD_LETTER_CODES)
				.describe(
					"`unreadable`: the message cannot be read; `routing_failed`: it can, and what came after failed.",
				),
			message: z.string().describe("The same in words."),
		})
		.describe("What the message itself says when it is read once more."),
	queued_at: time.describe("When it came into the dead-letter queue."),
	received_at: time.describe("When it was taken out of it and stored."),
});

export const wholeDeadLetterSchema = deadLetterSchema.extend({
	body_type: z.enum(BODY_KINDS).describe("What the body is; `bytes` in base64."),
	body: z.string().describe("As it stood in the queue; base64 for bytes."),
});
