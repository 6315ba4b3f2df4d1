/** What a trace looks like, with the texts of its fields: for the description. An event holds events. */
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
		"`not_found`: it is on its way, or has been forgotten; `unavailable`: who keeps it could not be asked now; else null.",
	source: "The source's name; null when it has been deleted, or is not known.",
	source_id: "The source's id; null when it is not known.",
	type: "The event's type; null when it is not known.",
	subject: "What the event is about; null when it does not say, or is not known.",
	received_at: "When it was accepted; null when it is not known.",
	deliveries: "What came of it.",
	"deliveries.id": "The delivery's id.",
	"deliveries.error": "As of an event; `withheld`: the event asked for decisions only, and nothing was sent.",
	"deliveries.subscription_id": "The subscription's id.",
	"deliveries.subscription": "Its name when the event was routed.",
	"deliveries.endpoint_id": "The endpoint's id.",
	"deliveries.endpoint": "`name@version` when the event was routed.",
	"deliveries.status": "Where it stands; null when it is not known.",
	"deliveries.reason": "Why it is dead; null while it is not.",
	"deliveries.detail": "More about the reason, for people.",
	"deliveries.attempt_count":
		"How many attempts there have been, busy responses included; null when it is not known.",
	"deliveries.blocked_by":
		"What holds it back now, as the delivery's own route says; null when nothing does.",
	"deliveries.blocked_until": "When that ends by itself; null when something has to happen first.",
	"deliveries.next_attempt_at": "When it is sent again; null when nothing is due, or the time is not known.",
	"deliveries.deadline_at": "While it waits for the output of a job: until when; else null.",
	"deliveries.created_at": "When it was made; null when it is not known.",
	"deliveries.finished_at": "When it ended; null until then.",
	"deliveries.wait_ms": "The time until the first attempt began; null until then.",
	"deliveries.duration_ms": "The time until it ended; null until then.",
	"deliveries.result_event_id": "The event that the output became; null without one.",
	"deliveries.result_event": "That event, with what came of it; null without one, or where it is left out.",
	"deliveries.continued_at":
		"The path of the trace that goes on here; null unless the result event is left out.",
	continued_at: "The path at which deliveries go on that are left out; null when none are.",
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
		event_id: "The event that was asked for.",
		root_event_id: "The publisher's event that its chain began with; null when it is not known.",
		cause_event_id: "The event whose delivery it is the result of; null when it is no result.",
		event_count: "Events in the tree.",
		delivery_count: "Deliveries in the tree.",
		truncated: "Whether something is left out: above 500 events and deliveries, or 64 results deep.",
		received_at: "When the event was accepted.",
		finished_at: "When the last delivery of the tree ended; null while one is owed, not known or left out.",
		duration_ms: "The time between the two, in milliseconds.",
		event: "The event, with what came of it.",
	}),
	parts: [TRACE_EVENT],
};
