/** The body of a bulk retry or cancel: the filters of the delivery list that apply to it. */
import * as z from "zod";
import { BULK_ACTIONS, TOUCHED } from "../../delivery/bulk/order.ts";
import { DEAD_REASONS } from "../../delivery/records.ts";
import { timeField } from "../fields/times.ts";
import { time } from "../openapi/shared.ts";

const shared = {
	endpoint: z.string().min(1).optional().describe("The endpoint, such as ocr@3 or ep_…. It may be deleted."),
	subscription: z.string().min(1).optional().describe("The subscription, by name or id (sub_…)."),
	event: z.string().min(1).optional().describe("The id of the event (evt_…)."),
	status_code: z
		.int()
		.min(100)
		.max(599)
		.optional()
		.describe("The status code of the response to the last attempt."),
	subject: z.string().min(1).optional().describe("The complete subject of the event."),
	correlation_id: z.string().min(1).optional().describe("The event's correlationid, or its own id."),
	since: timeField.optional().describe("Created at or after."),
	until: timeField.optional().describe("Created before."),
	dry_run: z.boolean().optional().describe("Only count the matching deliveries."),
};

export const bulkRetrySchema = z.strictObject({
	...shared,
	status: z.enum(TOUCHED.retry).optional().describe("Only deliveries with this status."),
	reason: z.enum(DEAD_REASONS).optional().describe("Only deliveries that are dead for this reason."),
});

export const bulkCancelSchema = z.strictObject({
	...shared,
	status: z.enum(TOUCHED.cancel).optional().describe("Only deliveries with this status."),
	reason: z
		.never({
			error:
				"cannot be used here: only dead deliveries have a reason, and dead deliveries cannot be canceled",
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
	matched: count.describe("Matching deliveries found so far."),
	done: count.describe("Deliveries retried or canceled so far."),
	skipped: count.describe("Deliveries skipped because they were in flight or had been changed meanwhile."),
	failed: count.describe(
		"Deliveries that could not be retried or canceled: the backlog is full, the event is no longer kept, or a newer release stored it.",
	),
};

export const bulkSchema = z.strictObject({
	id: z.string().describe("The id of the job (bulk_…)."),
	action: z.enum(BULK_ACTIONS).describe("What is done with each delivery."),
	dry_run: z.boolean().describe("Whether matching deliveries are only counted."),
	filters: z.record(z.string(), z.unknown()).describe("The filters of the request."),
	status: z.enum(["running", "done", "canceled"]).describe("The status of the job."),
	...counts,
	endpoint_count: count.describe("Endpoints that have been searched so far."),
	endpoints: z
		.array(
			z.strictObject({
				endpoint_id: z.string().describe("The endpoint's id."),
				endpoint: z
					.string()
					.nullable()
					.describe("The endpoint's current name@version; null: it has been deleted."),
				status: z
					.enum(["running", "done", "canceled", "unreachable"])
					.describe("`unreachable`: the endpoint's object has not responded for 15 minutes."),
				...counts,
			}),
		)
		.describe("Endpoints that have matching deliveries or are still being searched; up to 200."),
	created_at: time.describe("When the job started."),
	finished_at: time.nullable().describe("When the job ended; null until then."),
});
