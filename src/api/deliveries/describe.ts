/** The routes of `/v1/deliveries`, described. */
import * as z from "zod";
import { DEAD_REASONS, DELIVERY_STATUSES } from "../../delivery/records.ts";
import { OUTCOMES } from "../../delivery/rules/attempt.ts";
import { type FieldTexts, type OperationDescription, namedObject, pageOf } from "../openapi/operation.ts";
import { SINCE, UNTIL, pageQueryOf, time, usage } from "../openapi/shared.ts";
import { deliveryListQuery } from "./search.ts";

const params: FieldTexts = { id: "A delivery's id, `dlv_…`." };

const FIELDS: FieldTexts = {
	id: "Follows from event, subscription and endpoint.",
	event_id: "The event.",
	subscription_id: "The subscription's id.",
	subscription: "Its name when the event was routed.",
	endpoint_id: "The endpoint's id.",
	endpoint: "`name@version` when the event was routed.",
	status: "Where it stands.",
	reason: "Why it is dead; null while it is not.",
	detail: "More about the reason, for people.",
	attempt_count: "How many attempts there have been, busy responses included.",
	blocked_by:
		"What keeps it back now, such as `paused`, `hold`, `capacity` or `database`; null when nothing does.",
	blocked_until: "When that ends by itself; null when something has to happen first.",
	next_attempt_at:
		"When it may be sent next; null when it is over, under way, or waits for something without a time.",
	deadline_at: "While it waits for the output of a job: until when; else null.",
	created_at: "When it was made.",
	finished_at: "When it ended; null until then.",
	attempts: "Each HTTP exchange, in order.",
	"attempts.number": "From 1; the header `sluice-attempt` carried it.",
	"attempts.at": "When it began.",
	"attempts.duration_ms": "How long it took, in milliseconds.",
	"attempts.status_code": "The HTTP status; null when no response began.",
	"attempts.outcome":
		"What the response means; `accepted`: the server has taken a job, and its output comes later.",
	"attempts.error": "What went wrong, first as a word such as `timeout`; null when nothing did.",
	"attempts.response_excerpt": "The first 500 characters of a textual response.",
	"attempts.usage": "What the request has used, as the server counts; null when it does not say.",
	"attempts.usage.input_tokens": "Tokens of the input; null when the server does not say.",
	"attempts.usage.output_tokens": "Tokens of the output; null when the server does not say.",
	"attempts.usage.seconds": "Seconds of computing; null when the server does not say.",
	"attempts.model_version": "The model that the server says it ran; null when it does not say.",
	"attempts.request_id": "What the server calls the request in its own log; null when it does not say.",
	"attempts.job":
		"How the job ended that the attempt had begun; null when it began none, or one that still runs.",
	"attempts.job.ended_at": "When the router learned of the end.",
	"attempts.job.by": "Who told: the server by a callback, its response to a poll, or the deadline.",
	"attempts.job.outcome": "What the end means.",
	"attempts.job.error": "What went wrong; null when nothing did.",
	result_event_id: "The event that the output became; null without one.",
	result_omitted: "`too_large` when the output was above the limit.",
	result_type: "The content type of the output.",
	result: "The output: JSON as the model spelled it, text as a string, anything else in base64.",
};

const delivery = z.strictObject({
	id: z.string(),
	event_id: z.string(),
	subscription_id: z.string(),
	subscription: z.string(),
	endpoint_id: z.string(),
	endpoint: z.string(),
	status: z.enum(DELIVERY_STATUSES),
	reason: z.enum(DEAD_REASONS).nullable(),
	detail: z.string().nullable(),
	attempt_count: z.number().int(),
	blocked_by: z.string().nullable(),
	blocked_until: time.nullable(),
	next_attempt_at: time.nullable(),
	deadline_at: time.nullable(),
	created_at: time,
	finished_at: time.nullable(),
	attempts: z.array(
		z.strictObject({
			number: z.number().int(),
			at: time,
			duration_ms: z.number(),
			status_code: z.number().int().nullable(),
			outcome: z.enum(OUTCOMES),
			error: z.string().nullable(),
			response_excerpt: z.string().nullable(),
			usage: usage.nullable(),
			model_version: z.string().nullable(),
			request_id: z.string().nullable(),
			job: z
				.strictObject({
					ended_at: time,
					by: z.enum(["callback", "poll", "deadline"]),
					outcome: z.enum(OUTCOMES),
					error: z.string().nullable(),
				})
				.nullable(),
		}),
	),
	result_event_id: z.string().nullable(),
	result_omitted: z.literal("too_large").nullable(),
});

const DELIVERY = namedObject("Delivery", delivery, FIELDS);
const DELIVERY_DETAIL = namedObject(
	"DeliveryDetail",
	delivery.extend({ result_type: z.string().nullable(), result: z.unknown() }),
	FIELDS,
);

const NOT_FOUND = "delivery_not_found";
const shared = { tag: "Deliveries", params } as const;

export const deliveryOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "get",
		path: "/v1/deliveries",
		id: "listDeliveries",
		summary: "List deliveries",
		description: "With their attempts, without results. Filters all have to hold.",
		query: pageQueryOf(deliveryListQuery, {
			endpoint: "To this endpoint, by id or as `name@version`.",
			subscription: "Of this subscription, by id or name.",
			event: "Of this event, by id.",
			status: "With this status.",
			reason: "Dead for this reason.",
			since: SINCE,
			until: UNTIL,
		}),
		responses: { 200: { text: "A page of deliveries.", schema: pageOf(DELIVERY) } },
	},
	{
		...shared,
		method: "get",
		path: "/v1/deliveries/{id}",
		id: "getDelivery",
		summary: "Read a delivery",
		responses: { 200: { text: "The delivery with its result.", schema: DELIVERY_DETAIL } },
		codes: [NOT_FOUND],
	},
	{
		...shared,
		method: "post",
		path: "/v1/deliveries/{id}/retry",
		id: "retryDelivery",
		summary: "Send a delivery again",
		responses: { 202: { text: "The delivery, which is due again.", schema: DELIVERY_DETAIL } },
		codes: [NOT_FOUND, "already_succeeded", "in_flight", "unreadable", "backlog_full", "event_forgotten"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/deliveries/{id}/cancel",
		id: "cancelDelivery",
		summary: "Cancel a delivery",
		responses: { 200: { text: "The delivery, canceled.", schema: DELIVERY_DETAIL } },
		codes: [NOT_FOUND, "already_succeeded", "already_finished", "in_flight", "unreadable"],
	},
];
