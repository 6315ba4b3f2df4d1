/** Request and response of a preview, with the texts of their fields, for the API description. */
import * as z from "zod";
import { DEAD_REASONS } from "../../delivery/records.ts";
import { filterSchema } from "../../events/expressions/filters.ts";
import { ENDPOINT_STATUSES } from "../../store/records.ts";
import { type FieldTexts, namedObject } from "../openapi/operation.ts";
import { previewSchema } from "./preview-fields.ts";

/** `draft`: the texts of a subscription's fields. */
export function previewOf(draft: FieldTexts) {
	return namedObject("SubscriptionPreview", previewSchema, {
		...draft,
		subscription: {
			text: "A subscription by id or name, instead of the fields of one.",
			schema: { examples: ["ocr-scans"] },
		},
		event: {
			text: "A CloudEvent as JSON. Only `type` is required.",
			schema: {
				required: ["type"],
				properties: { type: { type: "string", minLength: 1, description: "The event's type." } },
				examples: [{ type: "document.inserted", data: { pages: 3 } }],
			},
		},
		event_id: "The id of a recent event instead, `evt_…`.",
		event_source: {
			text: "The source that receives `event`, by id or name; by default the one that the subscription listens to, otherwise `api`.",
			schema: { examples: ["documents-db"] },
		},
	});
}

const unsent = z.strictObject({ reason: z.enum(DEAD_REASONS).nullable(), detail: z.string() });

const preview = z.strictObject({
	subscription_id: z.string().nullable(),
	subscription: z.string().nullable(),
	event: z.strictObject({
		id: z.string(),
		source: z.string().nullable(),
		source_id: z.string(),
		is_source_assumed: z.boolean(),
		cloudevent: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
	}),
	matches: z.boolean(),
	criteria: z.array(
		z.strictObject({
			criterion: z.string(),
			filter: filterSchema.optional(),
			verdict: z.enum(["pass", "fail", "error"]),
			reason: z.string().nullable(),
		}),
	),
	refused: z.strictObject({ reason: z.literal("loop"), detail: z.string() }).nullable(),
	targets: z.array(
		z.strictObject({
			endpoint: z.string(),
			endpoint_id: z.string().nullable(),
			status: z.enum([...ENDPOINT_STATUSES, "quarantined"]).nullable(),
			status_reason: z.string().nullable(),
			error: unsent.nullable(),
			request: z
				.strictObject({
					method: z.string(),
					url: z.string(),
					headers: z.record(z.string(), z.string()),
					body: z.string().optional(),
					body_base64: z.string().optional(),
				})
				.nullable(),
		}),
	),
	input: z.strictObject({ error: z.string().nullable(), value: z.unknown() }).nullable(),
});

export const PREVIEW = namedObject("Preview", preview, {
	subscription_id: "The subscription's id; null for a draft.",
	subscription: "Its name; null for a draft without one.",
	event: "The event that it was tried with.",
	"event.id": "The id that it has, or would have.",
	"event.source": "The source's name; null if it has been deleted.",
	"event.source_id": "The source's id.",
	"event.is_source_assumed": "Whether nobody named the source, so that it counts as the subscription's own.",
	"event.cloudevent": "All attributes.",
	matches: "Whether all criteria pass.",
	criteria: "The criteria of the subscription, each judged independently.",
	"criteria.criterion":
		"`status`, `source`, `types` or `filters.0` …; `filters` if an expression is set aside, so that no filter is evaluated.",
	"criteria.filter": "The filter, if the criterion is one.",
	"criteria.verdict": "`error`: an expression could not be evaluated, which counts as no match.",
	"criteria.reason": "The reason; null if there is nothing to say.",
	refused: "Why the delivery would not be made, apart from budgets; null if it would.",
	"refused.reason": "`loop`: the event has passed through this subscription, or is too many results deep.",
	"refused.detail": "The reason in words.",
	targets: "What would be sent, whether or not the event matches.",
	"targets.endpoint": "`name@version`.",
	"targets.endpoint_id": "The endpoint's id; null if no version of the name exists.",
	"targets.status": "As in the endpoint itself.",
	"targets.status_reason": "As in the endpoint itself.",
	"targets.error": "Why nothing would be sent; null if something would.",
	"targets.error.reason": "Why the delivery would be dead; null if it would wait or be tried again.",
	"targets.error.detail": "The reason in words.",
	"targets.request": "The request, with credentials and signatures hidden.",
	"targets.request.method": "The HTTP method.",
	"targets.request.url": "The URL of the request.",
	"targets.request.headers": "Its headers.",
	"targets.request.body": "Its body as text.",
	"targets.request.body_base64": "The body in base64, instead of `body`, if it is not text.",
	input: "What the transform returns for the event; null without a transform.",
	"input.error": "Why it returns no value; null if it does.",
	"input.value": "Its value.",
});
