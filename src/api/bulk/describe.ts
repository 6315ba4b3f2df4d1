/** Retries and cancellations of many deliveries, described. */
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
const NAMED = "All filters that are named have to hold, and at least one has to be named.";
const BACKGROUND = "It is done in the background; `GET /v1/bulk/{id}` says how far it has come.";

export const bulkOperations: readonly OperationDescription[] = [
	{
		tag: "Deliveries",
		method: "post",
		path: "/v1/deliveries/retry",
		id: "retryDeliveries",
		summary: "Send many deliveries again",
		description: `What is dead, canceled, or pending after an attempt. ${NAMED} ${BACKGROUND}`,
		body: {
			schema: RETRY,
			examples: {
				count: { status: "dead", status_code: 500, dry_run: true },
				since: { status: "dead", since: "2026-11-22T09:00:00Z", until: "2026-11-22T10:00:00Z" },
			},
		},
		headers: ONCE,
		responses: { 202: replayable({ text: "The job, which has begun.", schema: JOB }) },
		codes: ONCE_CODES,
	},
	{
		tag: "Deliveries",
		method: "post",
		path: "/v1/deliveries/cancel",
		id: "cancelDeliveries",
		summary: "Cancel many deliveries",
		description: `What is still owed. ${NAMED} ${BACKGROUND}`,
		body: { schema: CANCEL, examples: { subject: { subject: "scans/7", status: "pending" } } },
		headers: ONCE,
		responses: { 202: replayable({ text: "The job, which has begun.", schema: JOB }) },
		codes: ONCE_CODES,
	},
	{
		tag: "Bulk jobs",
		params,
		method: "get",
		path: "/v1/bulk/{id}",
		id: "getBulkJob",
		summary: "Read a bulk job",
		description: "How far it has come. It is forgotten a week after its end.",
		responses: { 200: { text: "The job.", schema: JOB } },
		codes: ["bulk_not_found"],
	},
	{
		tag: "Bulk jobs",
		params,
		method: "post",
		path: "/v1/bulk/{id}/cancel",
		id: "cancelBulkJob",
		summary: "End a bulk job",
		description: "Where it stands: what it has changed stays changed.",
		responses: { 200: { text: "The job.", schema: JOB } },
		codes: ["bulk_not_found"],
	},
];
