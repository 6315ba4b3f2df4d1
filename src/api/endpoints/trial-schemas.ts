/** What the test and the health of an endpoint take and return, with the texts of their fields: for the description. */
import * as z from "zod";
import { OUTCOMES } from "../../delivery/rules/attempt.ts";
import { ENDPOINT_STATUSES } from "../../store/records.ts";
import { PUBLISHED } from "../events/wire.ts";
import { type FieldTexts, type NamedSchema, namedObject } from "../openapi/operation.ts";
import { time, usage } from "../openapi/shared.ts";
import { testEndpointSchema } from "./test.ts";

export const TEST: NamedSchema = {
	name: "EndpointTest",
	schema: testEndpointSchema,
	fields: {
		event: "The event to send; by default a sample that most servers of the protocol take.",
		event_id: "The id of a recent event to send instead, `evt_…`.",
		transform: "JSONata over the event whose value is sent, as a subscription has it.",
	},
	parts: [PUBLISHED],
};

const TRIAL_FIELDS: FieldTexts = {
	request:
		"What was sent, credentials hidden; null when the address is none that the router sends to, or no token was to be had.",
	"request.method": "The HTTP method.",
	"request.url": "Where it went.",
	"request.headers": "Its headers.",
	"request.body": "Its body as text, the first 65,536 characters; null when there is none.",
	"request.body_base64": "Instead of `body`, when it is no text.",
	"request.truncated": "Whether the body is longer than what is shown.",
	response: "What came back; null when no response began.",
	"response.status_code": "The HTTP status.",
	"response.headers": "Up to 64 headers, 500 characters of each.",
	"response.body_excerpt": "The first 500 characters of a textual response.",
	outcome: "What the response means for a delivery.",
	scope: "`endpoint`: a busy response speaks for the whole endpoint; `request`: for this request alone.",
	error: "What went wrong, first as a word such as `timeout`; null when nothing did.",
	retry_after_ms: "How long the server asks to wait; null when it does not.",
	usage: "What the request has used, as the server counts; null when it does not say.",
	"usage.input_tokens": "Tokens of the input; null when the server does not say.",
	"usage.output_tokens": "Tokens of the output; null when the server does not say.",
	"usage.seconds": "Seconds of computing; null when the server does not say.",
	model_version: "The model that the server says it ran; null when it does not say.",
	request_id: "What the server calls the request in its own log; null when it does not say.",
	duration_ms: "How long it took, in milliseconds.",
	output: "What a delivery would have as its result; null without one.",
	"output.cloudevent": "The attributes, when the output is a CloudEvent; else null.",
	"output.content_type": "The content type of the output; null when it has none.",
	"output.truncated":
		"Whether the output is longer than what is shown: then its first 65,536 characters as a text.",
	"output.data": "JSON as the model spelled it, or text as a string.",
	"output.data_base64": "Instead of `data`, when it is neither JSON nor text.",
};

const texts = z.record(z.string(), z.string());

export const TRIAL = namedObject(
	"EndpointTrial",
	z.strictObject({
		request: z
			.strictObject({
				method: z.string(),
				url: z.string(),
				headers: texts,
				body: z.string().nullable().optional(),
				body_base64: z.string().optional(),
				truncated: z.boolean(),
			})
			.nullable(),
		response: z
			.strictObject({
				status_code: z.number().int(),
				headers: texts,
				body_excerpt: z.string().nullable(),
			})
			.nullable(),
		outcome: z.enum(OUTCOMES),
		scope: z.enum(["request", "endpoint"]),
		error: z.string().nullable(),
		retry_after_ms: z.number().nullable(),
		usage: usage.nullable(),
		model_version: z.string().nullable(),
		request_id: z.string().nullable(),
		duration_ms: z.number(),
		output: z
			.strictObject({
				cloudevent: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable(),
				content_type: z.string().nullable(),
				truncated: z.boolean(),
				data: z.unknown().optional(),
				data_base64: z.string().optional(),
			})
			.nullable(),
	}),
	TRIAL_FIELDS,
);

const count = z.number().int().nullable();

export const HEALTH = namedObject(
	"EndpointHealth",
	z.strictObject({
		status: z.enum([...ENDPOINT_STATUSES, "quarantined"]),
		status_reason: z.string().nullable(),
		blocked_by: z.string().nullable(),
		blocked_until: time.nullable(),
		in_flight: count,
		limit: count,
		max_concurrency: z.number().int(),
		waiting: count,
		backlog: count,
		oldest_pending_at: time.nullable(),
		oldest_pending_age_seconds: count,
		latency_ms: z
			.strictObject({
				p50: z.number().nullable(),
				p95: z.number().nullable(),
				p99: z.number().nullable(),
				samples: z.number().int(),
				window_seconds: z.number().int(),
			})
			.nullable(),
		outcomes: z
			.strictObject(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, z.number().int()])))
			.nullable(),
		ready: z.boolean().nullable(),
	}),
	{
		status: "As of the endpoint.",
		status_reason: "As of the endpoint.",
		blocked_by: "What keeps deliveries back now, as of the endpoint; null when nothing does.",
		blocked_until: "When that ends by itself; null when something has to happen first.",
		in_flight: "Requests under way; this and the numbers below are null while they cannot be asked for.",
		limit:
			"How many requests at once the endpoint has been found to take; null while nothing shows that it takes fewer than `max_concurrency`.",
		max_concurrency: "As of the endpoint.",
		waiting: "Deliveries that a server has accepted and whose output comes later.",
		backlog: "Deliveries that are owed, those in flight and waiting among them.",
		oldest_pending_at: "When the oldest of them came; null when there is none.",
		oldest_pending_age_seconds: "How long ago that was.",
		latency_ms: "How long the latest exchanges took: up to 512 of the last hour.",
		"latency_ms.p50": "Half of them took no longer, in milliseconds; null without one.",
		"latency_ms.p95": "95 % of them took no longer.",
		"latency_ms.p99": "99 % of them took no longer.",
		"latency_ms.samples": "How many got a response or ran into the deadline.",
		"latency_ms.window_seconds": "How far back they go.",
		outcomes: "How the same exchanges ended, those without a response too.",
		...Object.fromEntries(
			OUTCOMES.map((outcome) => [`outcomes.${outcome}`, `How many ended as \`${outcome}\`.`]),
		),
		ready:
			"What the model server says when it is asked with `probe=true`; null when it is not, or says nothing of it.",
	},
);
