/** A trace with the texts of its fields, for the API description. It is recursive: events contain events. */
import * as z from "zod";
import { DEAD_REASONS, DELIVERY_STATUSES } from "../../delivery/records.ts";
import { type FieldTexts, type NamedSchema, namedObject } from "../openapi/operation.ts";
import { time } from "../openapi/shared.ts";

const missing = z.enum(["not_found", "unavailable"]).nullable();

const traceEvent = z.strictObject({
	id: z.string(),
	error: missing,
	source: z.string().nullable(),
	source_id: z.string().nullable(),
	type: z.string().nullable(),
	subject: z.string().nullable(),
	received_at: time.nullable(),
	get deliveries() {
		return z.array(traceDelivery);
	},
	continued_at: z.string().nullable(),
});

const traceDelivery = z.strictObject({
	id: z.string(),
	error: z.enum(["not_found", "unavailable", "withheld"]).nullable(),
	subscription_id: z.string(),
	subscription: z.string(),
	endpoint_id: z.string(),
	endpoint: z.string(),
	status: z.enum(DELIVERY_STATUSES).nullable(),
	reason: z.enum(DEAD_REASONS).nullable(),
	detail: z.string().nullable(),
	attempt_count: z.number().int().nullable(),
	blocked_by: z.string().nullable(),
	blocked_until: time.nullable(),
	next_attempt_at: time.nullable(),
	deadline_at: time.nullable(),
	created_at: time.nullable(),
	finished_at: time.nullable(),
	wait_ms: z.number().nullable(),
	duration_ms: z.number().nullable(),
	result_event_id: z.string().nullable(),
	get result_event() {
		return traceEvent.nullable();
	},
	continued_at: z.string().nullable(),
});

const EVENT_FIELDS: FieldTexts = {
	id: "The event's id.",
	error:
		"`not_found`: it is not stored yet, or has been deleted; `unavailable`: its store could not be read now; otherwise null.",
	source: "The source's name; null if it has been deleted or is not known.",
	source_id: "The source's id; null if it is not known.",
	type: "The event's type; null if it is not known.",
	subject: "The subject: what the event is about; null if it has none or is not known.",
	received_at: "When it was accepted; null if that is not known.",
	deliveries: "The deliveries of the event.",
	"deliveries.id": "The delivery's id.",
	"deliveries.error":
		"As for an event; also `withheld`: the event asked for decisions only, and nothing was sent.",
	"deliveries.subscription_id": "The subscription's id.",
	"deliveries.subscription": "Its name when the event was routed.",
	"deliveries.endpoint_id": "The endpoint's id.",
	"deliveries.endpoint": "`name@version` when the event was routed.",
	"deliveries.status": "The status of the delivery; null if it is not known.",
	"deliveries.reason": "Why it is dead; null if it is not.",
	"deliveries.detail": "More about the reason, for people.",
	"deliveries.attempt_count": "The number of attempts, including busy responses; null if it is not known.",
	"deliveries.blocked_by": "What blocks it now, as in the delivery itself; null if nothing does.",
	"deliveries.blocked_until": "When the block ends automatically; null if it depends on something else.",
	"deliveries.next_attempt_at": "When it is sent again; null if nothing is due, or the time is not known.",
	"deliveries.deadline_at":
		"While it waits for the output of a job, the time until which it waits; otherwise null.",
	"deliveries.created_at": "When the delivery was created; null if that is not known.",
	"deliveries.finished_at": "When it ended; null until then.",
	"deliveries.wait_ms": "The time until the first attempt began; null until then.",
	"deliveries.duration_ms": "The time until it ended; null until then.",
	"deliveries.result_event_id": "The id of the result event; null if there is none.",
	"deliveries.result_event":
		"The result event with its deliveries; null if there is none, or if it is left out.",
	"deliveries.continued_at":
		"The path of the trace that continues here; null unless the result event is left out.",
	continued_at: "The path of the remaining deliveries; null if none are left out.",
};

export const TRACE_EVENT: NamedSchema = { name: "TraceEvent", schema: traceEvent, fields: EVENT_FIELDS };

const trace = z.strictObject({
	event_id: z.string(),
	root_event_id: z.string().nullable(),
	cause_event_id: z.string().nullable(),
	event_count: z.number().int(),
	delivery_count: z.number().int(),
	truncated: z.boolean(),
	received_at: time.nullable(),
	finished_at: time.nullable(),
	duration_ms: z.number().nullable(),
	event: traceEvent,
});

export const TRACE: NamedSchema = {
	...namedObject("Trace", trace, {
		event_id: "The event in the path.",
		root_event_id: "The publisher's event that began its chain; null if it is not known.",
		cause_event_id: "The event whose delivery it resulted from; null if it is not a result.",
		event_count: "Events in the tree.",
		delivery_count: "Deliveries in the tree.",
		truncated: "Whether something is left out: beyond 500 events and deliveries, or 64 results deep.",
		received_at: "When the event was accepted.",
		finished_at:
			"When the last delivery of the tree ended; null while one is unfinished, not known or left out.",
		duration_ms: "The time between the two, in milliseconds.",
		event: "The event with its deliveries.",
	}),
	parts: [TRACE_EVENT],
};
