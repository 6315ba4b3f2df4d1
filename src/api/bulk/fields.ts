/** The body of a bulk retry or cancel: the filters of the delivery list that apply to it. */
import * as z from "zod";
import { BULK_ACTIONS, TOUCHED } from "../../delivery/bulk/order.ts";
import { ENDPOINT_STATUSES, JOB_STATUSES } from "../../delivery/bulk/rpc.ts";
import { DEAD_REASONS } from "../../delivery/records.ts";
import { timeField } from "../fields/times.ts";
import { time } from "../openapi/shared.ts";

const shared = {
	endpoint: z.string().min(1).optional().describe("ocr@3, or ep_…, of a deleted endpoint too."),
	subscription: z.string().min(1).optional().describe("A name, or sub_…."),
	event: z.string().min(1).optional().describe("evt_…"),
	status_code: z.int().min(100).max(599).optional().describe("Of the response to the last attempt."),
	subject: z.string().min(1).optional().describe("Of the event, in full."),
	correlation_id: z.string().min(1).optional().describe("The event's correlationid, or its own id."),
	since: timeField.optional().describe("Created at or after."),
	until: timeField.optional().describe("Created before."),
	dry_run: z.boolean().optional().describe("Count what would be touched, and change nothing."),
};

export const bulkRetrySchema = z.strictObject({
	...shared,
	status: z.enum(TOUCHED.retry).optional().describe("With this status."),
	reason: z.enum(DEAD_REASONS).optional().describe("Dead for this reason."),
});

export const bulkCancelSchema = z.strictObject({
	...shared,
	status: z.enum(TOUCHED.cancel).optional().describe("With this status."),
	reason: z
		.never({
			error: "has no meaning here: what can be canceled is not dead, and only what is dead has a reason",
		})
		.optional(),
});

export type BulkBody = z.output<typeof bulkRetrySchema> | z.output<typeof bulkCancelSchema>;

/** A request has to set at least one of these fields. */
export const FILTER_NAMES: readonly string[] = Object.keys(bulkRetrySchema.shape).filter(
	(name) => name !== "dry_run",
);

const count = z.int();
const counts = {
	matched: count.describe("Found so far."),
	done: count.describe("Retried or canceled."),
	skipped: count.describe("In flight at that moment, or changed by somebody else."),
	failed: count.describe("Could not be: no room, an event that is forgotten, or stored by a newer release."),
};

export const bulkSchema = z.strictObject({
	id: z.string().describe("bulk_…"),
	action: z.enum(BULK_ACTIONS).describe("What is done to each."),
	dry_run: z.boolean().describe("Whether they are only counted."),
	filters: z.record(z.string(), z.unknown()).describe("As they were given."),
	status: z
		.enum(JOB_STATUSES)
		.describe("How the job stands. `incomplete`: over, but not at all endpoints; `detail` says why."),
	detail: z
		.string()
		.nullable()
		.describe("At how many endpoints it ended otherwise than done; null: at none."),
	...counts,
	endpoint_count: count.describe("Endpoints that have been asked so far."),
	endpoints: z
		.array(
			z.strictObject({
				endpoint_id: z.string().describe("The endpoint's id."),
				endpoint: z.string().nullable().describe("As it is called now; null: it has been deleted."),
				status: z
					.enum(ENDPOINT_STATUSES)
					.describe(
						"`unreachable`: it has not responded for a quarter of an hour. `busy`: 50 other bulk jobs were not done there for a quarter of an hour, and nothing was begun. `forgotten`: 500 others ended before its outcome was read; the counts are the last that were seen.",
					),
				...counts,
			}),
		)
		.describe("Those with deliveries that matched, or that are not done, which come first; up to 200."),
	created_at: time.describe("When it began."),
	finished_at: time.nullable().describe("When it ended; null until then."),
});
