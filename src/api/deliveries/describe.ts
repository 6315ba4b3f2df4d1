/** The descriptions of `/v1/deliveries`. */
import * as z from "zod";
import { DEAD_REASONS, DELIVERY_STATUSES } from "../../delivery/records.ts";
import { OUTCOMES } from "../../delivery/rules/attempt.ts";
import { type FieldTexts, type OperationDescription, namedObject, pageOf } from "../openapi/operation.ts";
import { SINCE, UNTIL, pageQueryOf, time, usage } from "../openapi/shared.ts";
import { deliveryListQuery } from "./search.ts";

const params: FieldTexts = { id: "A delivery's id, `dlv_…`." };

const FIELDS: FieldTexts = {
	id: "The delivery's id, `dlv_…`. Derived from event, subscription and endpoint.",
	event_id: "The event.",
	subscription_id: "The subscription's id.",
	subscription: "Its name when the event was routed.",
	endpoint_id: "The endpoint's id.",
	endpoint: "`name@version` when the event was routed.",
	status: "The status of the delivery.",
	reason: "Why it is dead; null if it is not.",
	detail: "More about the reason, for people.",
	attempt_count: "The number of attempts, including busy responses.",
	blocked_by: "What blocks it now, such as `paused`, `hold`, `capacity` or `database`; null if nothing does.",
	blocked_until: "When the block ends automatically; null if it depends on something else.",
	next_attempt_at:
		"When it may be sent next; null if it has ended, is in flight, or waits for something without a known time.",
	deadline_at: "While it waits for the output of a job, the time until which it waits; otherwise null.",
	created_at: "When the delivery was created.",
	finished_at: "When it ended; null until then.",
	attempts: "The HTTP exchanges, in order.",
	"attempts.number": "The number of the attempt, from 1; also sent as the header `sluice-attempt`.",
	"attempts.at": "When it began.",
	"attempts.duration_ms": "How long it took, in milliseconds.",
	"attempts.status_code": "The HTTP status; null if no response began.",
	"attempts.outcome":
		"What the response means. `accepted`: the server has accepted a job, and its output comes later.",
	"attempts.error": "What went wrong, beginning with a word such as `timeout`; null if nothing did.",
	"attempts.response_excerpt": "The first 500 characters of a textual response.",
	"attempts.usage": "What the request used, as the server counts; null if the server does not say.",
	"attempts.usage.input_tokens": "Input tokens; null if the server does not say.",
	"attempts.usage.output_tokens": "Output tokens; null if the server does not say.",
	"attempts.usage.seconds": "Seconds of computing; null if the server does not say.",
	"attempts.model_version": "The model that the server says it ran; null if it does not say.",
	"attempts.request_id": "The server's id of the request in its own log; null if it does not say.",
	"attempts.job": "How the job of this attempt ended; null if there was none, or if it is still running.",
	"attempts.job.ended_at": "When the router learned that the job had ended.",
	"attempts.job.by": "How the router learned it: by a callback, a response to a poll, or the deadline.",
	"attempts.job.outcome": "How the job ended.",
	"attempts.job.error": "What went wrong; null if nothing did.",
	result_event_id: "The result event that was made from the output; null if there is none.",
	result_omitted: "`too_large` if the output was above the limit, otherwise null.",
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
		description: "With attempts, without results. All filters must hold.",
		query: pageQueryOf(deliveryListQuery, {
			endpoint: "Only deliveries to this endpoint, by id or as `name@version`.",
			subscription: "Only deliveries of this subscription, by id or name.",
			event: "Only deliveries of this event, by id.",
			status: "Only deliveries with this status.",
			reason: "Only deliveries that are dead for this reason.",
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
