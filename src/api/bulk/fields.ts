/** The body of a bulk retry or cancel: the filters of the delivery list that apply to it. */
import * as z from "zod";
import { BULK_ACTIONS, TOUCHED } from "../../delivery/bulk/order.ts";
import { ENDPOINT_STATUSES, JOB_STATUSES } from "../../delivery/bulk/rpc.ts";
import { DEAD_REASONS } from "../../delivery/records.ts";
import { timeField } from "../fields/times.ts";
import { time } from "../openapi/shared.ts";

const shared = {
	endpoint: z
		.string()
		.min(1)
		.optional()
		.describe(
			"Only deliveries to this endpoint: `ocr@3`, or an id, which may be that of a deleted endpoint.",
		),
	subscription: z
		.string()
		.min(1)
		.optional()
		.describe("Only deliveries of this subscription: a name or an id."),
	event: z.string().min(1).optional().describe("Only deliveries of this event: its id, `evt_…`."),
	status_code: z
		.int()
		.min(100)
		.max(599)
		.optional()
		.describe("Only deliveries whose last attempt got this HTTP status."),
	subject: z.string().min(1).optional().describe("Only deliveries of events with exactly this subject."),
	correlation_id: z
		.string()
		.min(1)
		.optional()
		.describe("Only deliveries of events with this `correlationid`: all that came of one publisher's event."),
	since: timeField.optional().describe("Created at this time or later."),
	until: timeField.optional().describe("Created before this time."),
	dry_run: z.boolean().optional().describe("`true`: only count the deliveries, and change nothing."),
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
	matched: count.describe("Deliveries found so far."),
	done: count.describe("Deliveries retried or canceled."),
	skipped: count.describe("Deliveries left alone: in flight at that moment, or changed by somebody else."),
	failed: count.describe(
		"Deliveries that could not be changed: no room in the backlog, the event is deleted, or a newer release has stored them.",
	),
};

export const bulkSchema = z.strictObject({
	id: z.string().describe("The id of the job, `bulk_…`."),
	action: z.enum(BULK_ACTIONS).describe("What is done to each delivery."),
	dry_run: z.boolean().describe("Whether deliveries are only counted."),
	filters: z.record(z.string(), z.unknown()).describe("The filters of the request."),
	status: z
		.enum(JOB_STATUSES)
		.describe(
			"The status of the job. `incomplete`: it has ended, but not all endpoints finished their part; `detail` says why.",
		),
	detail: z.string().nullable().describe("How many endpoints did not finish, and why; null: all did."),
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
					.enum(ENDPOINT_STATUSES)
					.describe(
						"`unreachable`: the endpoint's object has not responded for 15 minutes. `busy`: 50 other bulk jobs were not finished there for 15 minutes, and nothing was started. `forgotten`: 500 other jobs ended before its outcome was read; the counts are the last ones seen.",
					),
				...counts,
			}),
		)
		.describe("Endpoints that are not finished, then those with matching deliveries; up to 200."),
	created_at: time.describe("When the job started."),
	finished_at: time.nullable().describe("When the job ended; null until then."),
});
