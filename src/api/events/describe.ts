/** The routes of `/v1/events`, described. */
import * as z from "zod";
import { type FieldTexts, type OperationDescription, namedObject, pageOf } from "../openapi/operation.ts";
import {
	ACCEPTED,
	CODEC_CODES,
	HEADERS_OF_EVENTS,
	SINCE,
	UNTIL,
	pageQueryOf,
	time,
} from "../openapi/shared.ts";
import { eventGetQuery, eventListQuery, traceQuery } from "./queries.ts";
import { TRACE } from "./trace-schemas.ts";
import { PUBLISHED } from "./wire.ts";

const params: FieldTexts = { id: "An event's id, `evt_…`." };

const FIELDS: FieldTexts = {
	id: "The router's own id, `evt_…`.",
	source: "The source's name; null if it has been deleted.",
	source_id: "The source's id.",
	type: "The event's type.",
	subject: "The subject: what the event is about.",
	received_at: "When it was accepted.",
	cloudevent: "All attributes, with the publisher's own names.",
	matched: "The routing decisions: one for each subscription that matched.",
	"matched.subscription_id": "The subscription's id.",
	"matched.subscription": "Its name when the event was routed.",
	"matched.endpoint_id": "The endpoint's id.",
	"matched.endpoint": "`name@version` when the event was routed.",
	"matched.delivery_id": "The id of the delivery.",
	"matched.withheld": "`true`: the event asked for decisions only, and nothing was sent.",
	"matched.dead": "Why the delivery was not made; absent if it was.",
	data: "JSON as the publisher spelled it, or text as a string.",
	data_base64: "The payload in base64, if it is neither JSON nor text.",
	unmatched: "With `explain=true`: every current subscription that the event does not match.",
	"unmatched.subscription_id": "The subscription's id.",
	"unmatched.subscription": "Its name.",
	"unmatched.criterion":
		"The first criterion that does not pass: `status`, `source`, `types`, `filters.0` … or `endpoint`.",
	"unmatched.verdict": "`fail`, or `error` if the criterion could not be evaluated.",
	"unmatched.reason": "The reason in words.",
};

const event = z.strictObject({
	id: z.string(),
	source: z.string().nullable(),
	source_id: z.string(),
	type: z.string(),
	subject: z.string().nullable(),
	received_at: time,
	cloudevent: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
	matched: z.array(
		z.strictObject({
			subscription_id: z.string(),
			subscription: z.string(),
			endpoint_id: z.string(),
			endpoint: z.string(),
			delivery_id: z.string(),
			dead: z.enum(["loop", "budget", "backlog_full"]).optional(),
			withheld: z.literal(true).optional(),
		}),
	),
});

const unmatched = z.strictObject({
	subscription_id: z.string(),
	subscription: z.string(),
	criterion: z.string(),
	verdict: z.enum(["fail", "error"]),
	reason: z.string(),
});

const EVENT = namedObject("Event", event, FIELDS);
const EVENT_DETAIL = namedObject(
	"EventDetail",
	event.extend({
		data: z.unknown().optional(),
		data_base64: z.string().optional(),
		unmatched: z.array(unmatched).optional(),
	}),
	FIELDS,
);

const shared = { tag: "Events", params } as const;

export const eventOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "post",
		path: "/v1/events",
		id: "publishEvent",
		summary: "Publish an event",
		description:
			"Publishes into the built-in source `api`. The response is 202 once the queue has stored the event. Also accepts CloudEvents in any HTTP mode.",
		headers: HEADERS_OF_EVENTS,
		body: {
			schema: PUBLISHED,
			alsoTakes: {
				"application/cloudevents+json": "A CloudEvent in structured mode.",
				"application/cloudevents-batch+json": "Up to 5,000 CloudEvents.",
				"*/*":
					"The data of a CloudEvent in binary mode, whose attributes are in headers (`ce-id`, `ce-type` …).",
			},
			examples: {
				event: { type: "order.paid", subject: "orders/42", data: { total: 12.5 } },
				retried: { type: "order.paid", id: "order-42-paid", time: "2026-11-22T11:18:25Z" },
			},
		},
		responses: { 202: { text: "The queue has stored the event.", schema: ACCEPTED } },
		codes: [...CODEC_CODES, "invalid_header", "event_too_large", "too_many_events", "queue_unavailable"],
	},
	{
		...shared,
		method: "get",
		path: "/v1/events",
		id: "listEvents",
		summary: "List events",
		description: "The events of the last 7 days, without payloads.",
		query: pageQueryOf(eventListQuery, {
			source: "Only events of this source, by id or name.",
			type: "Only events of this type: exact, or a prefix followed by `*`.",
			since: SINCE,
			until: UNTIL,
		}),
		responses: { 200: { text: "A page of events.", schema: pageOf(EVENT) } },
	},
	{
		...shared,
		method: "get",
		path: "/v1/events/{id}",
		id: "getEvent",
		summary: "Read an event",
		query: {
			name: "EventQuery",
			schema: eventGetQuery,
			fields: { explain: "`true`: also says why each other subscription did not match." },
		},
		responses: { 200: { text: "The event with its payload.", schema: EVENT_DETAIL } },
		codes: ["event_not_found", "event_not_routed"],
	},
	{
		...shared,
		method: "get",
		path: "/v1/events/{id}/trace",
		id: "traceEvent",
		summary: "Trace an event",
		description:
			"Everything that followed from the event, as a tree: its deliveries, their result events, the deliveries of those, and so on. Without payloads, attempts and results.",
		query: { name: "TraceQuery", schema: traceQuery, fields: {} },
		responses: { 200: { text: "The tree.", schema: TRACE } },
		codes: ["event_not_found", "event_not_routed"],
	},
];
