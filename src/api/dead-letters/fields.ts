/** The schemas of the dead-letter routes. */
import * as z from "zod";
import { DEAD_LETTER_CODES } from "../../dead-letters/diagnosis.ts";
import { BODY_KINDS } from "../../dead-letters/rpc.ts";
import { pageQuery } from "../http/query.ts";

export const deadLetterListQuery = z.strictObject(pageQuery);

export const deadLetterSchema = z.object({
	id: z.string().describe("dead_…"),
	source: z.string().nullable().describe("As it is called now; null: unknown, or deleted."),
	source_id: z.string().nullable(),
	event_ids: z.array(z.string()).describe("The first 100; none where the message does not tell."),
	event_count: z.int().nullable(),
	error: z.object({
		code: z.enum(DEAD_LETTER_CODES),
		message: z.string().describe("What the message itself says of it."),
	}),
	queued_at: z.string().describe("When it came into the dead-letter queue."),
	received_at: z.string().describe("When it was taken out of it and stored."),
});

export const wholeDeadLetterSchema = deadLetterSchema.extend({
	body_type: z.enum(BODY_KINDS),
	body: z.string().describe("As it stood in the queue; base64 for bytes."),
});
