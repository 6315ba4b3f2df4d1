/** What a preview takes and returns, with the texts of its fields: for the description. */
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
			text: "A CloudEvent as JSON, of which only `type` is required.",
			schema: {
				required: ["type"],
				properties: { type: { type: "string", minLength: 1, description: "The event's type." } },
				examples: [{ type: "document.inserted", data: { pages: 3 } }],
			},
		},
		event_id: "The id of a recent event instead, `evt_…`.",
		event_source: {
			text: "The source by which `event` comes in, by id or name; by default the one that the subscription listens to, else `api`.",
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
	"event.source": "The source's name; null when it has been deleted.",
	"event.source_id": "The source's id.",
	"event.is_source_assumed": "Whether nobody named the source, so that it passes as the subscription's own.",
	"event.cloudevent": "All attributes.",
	matches: "Whether all criteria pass.",
	criteria: "What the subscription asks of the event, each judged by itself.",
	"criteria.criterion":
		"`status`, `source`, `types` or `filters.0` …; `filters` where an expression is set aside and none counts.",
	"criteria.filter": "The filter, where it is one.",
	"criteria.verdict": "`error`: an expression could not be evaluated, which matches nothing.",
	"criteria.reason": "Why; null when there is nothing to say.",
	refused: "Why the delivery would not be made, without budgets; null when it would.",
	"refused.reason": "`loop`: the event has come from this subscription.",
	"refused.detail": "The same in words.",
	targets: "What would be sent, whether the event matches or not.",
	"targets.endpoint": "`name@version`.",
	"targets.endpoint_id": "The endpoint's id; null when no version of the name is left.",
	"targets.status": "As of the endpoint.",
	"targets.status_reason": "As of the endpoint.",
	"targets.error": "Why nothing would be sent; null when something would.",
	"targets.error.reason": "Why the delivery would be dead; null when it would wait or be tried again.",
	"targets.error.detail": "The same in words.",
	"targets.request": "The request, credentials and signatures hidden.",
	"targets.request.method": "The HTTP method.",
	"targets.request.url": "Where it would go.",
	"targets.request.headers": "Its headers.",
	"targets.request.body": "Its body as text.",
	"targets.request.body_base64": "Instead of `body`, when it is no text.",
	input: "What the transform makes of the event; null without a transform.",
	"input.error": "Why it makes nothing; null when it does.",
	"input.value": "Its value.",
});
