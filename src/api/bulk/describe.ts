/** The descriptions of bulk retries and cancellations. */
import { ONCE, ONCE_CODES, replayable } from "../openapi/conditions.ts";
import type { FieldTexts, OperationDescription } from "../openapi/operation.ts";
import { bulkCancelSchema, bulkRetrySchema, bulkSchema } from "./fields.ts";

const JOB = { name: "BulkJob", schema: bulkSchema, fields: {} };
const TIMES: FieldTexts = {
	since: {
		text: "Only deliveries that were created at this time or later.",
		schema: { format: "date-time" },
	},
	until: { text: "Only deliveries that were created before this time.", schema: { format: "date-time" } },
};
const RETRY = { name: "BulkRetry", schema: bulkRetrySchema, fields: TIMES };
const CANCEL = { name: "BulkCancel", schema: bulkCancelSchema, fields: TIMES };

const params: FieldTexts = { id: "A bulk job's id, `bulk_…`." };
const NAMED = "At least one filter is required, and all filters must hold.";
const BACKGROUND = "The job runs in the background; `GET /v1/bulk/{id}` shows its progress.";

export const bulkOperations: readonly OperationDescription[] = [
	{
		tag: "Deliveries",
		method: "post",
		path: "/v1/deliveries/retry",
		id: "retryDeliveries",
		summary: "Send many deliveries again",
		description: `Retries deliveries that are dead, canceled, or pending after an attempt. ${NAMED} ${BACKGROUND}`,
		body: {
			schema: RETRY,
			examples: {
				count: { status: "dead", status_code: 500, dry_run: true },
				since: { status: "dead", since: "2026-11-22T09:00:00Z", until: "2026-11-22T10:00:00Z" },
			},
		},
		headers: ONCE,
		responses: { 202: replayable({ text: "The job, which has started.", schema: JOB }) },
		codes: ONCE_CODES,
	},
	{
		tag: "Deliveries",
		method: "post",
		path: "/v1/deliveries/cancel",
		id: "cancelDeliveries",
		summary: "Cancel many deliveries",
		description: `Cancels deliveries that are not finished. ${NAMED} ${BACKGROUND}`,
		body: { schema: CANCEL, examples: { subject: { subject: "scans/7", status: "pending" } } },
		headers: ONCE,
		responses: { 202: replayable({ text: "The job, which has started.", schema: JOB }) },
		codes: ONCE_CODES,
	},
	{
		tag: "Bulk jobs",
		params,
		method: "get",
		path: "/v1/bulk/{id}",
		id: "getBulkJob",
		summary: "Read a bulk job",
		description: "Shows the progress of the job. The job is deleted a week after its end.",
		responses: { 200: { text: "The job.", schema: JOB } },
		codes: ["bulk_not_found"],
	},
	{
		tag: "Bulk jobs",
		params,
		method: "post",
		path: "/v1/bulk/{id}/cancel",
		id: "cancelBulkJob",
		summary: "Stop a bulk job",
		description: "The job. What it has changed stays changed.",
		responses: { 200: { text: "The job.", schema: JOB } },
		codes: ["bulk_not_found"],
	},
];
