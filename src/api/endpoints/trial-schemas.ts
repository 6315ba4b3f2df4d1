/**
 * Requests and responses of an endpoint's test and health, with the texts of their fields, for the API
 * description.
 */
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
		event: "The event to send; by default a sample that most servers of the protocol accept.",
		event_id: "The id of a recent event to send instead, `evt_…`.",
		transform: "JSONata over the event, as in a subscription. Its value is sent.",
	},
	parts: [PUBLISHED],
};

const TRIAL_FIELDS: FieldTexts = {
	request:
		"What was sent, with credentials hidden; null if the router may not send to the address, or could not get an access token.",
	"request.method": "The HTTP method.",
	"request.url": "The URL of the request.",
	"request.headers": "Its headers.",
	"request.body": "Its body as text, the first 65,536 characters; null if there is none.",
	"request.body_base64": "The body in base64, instead of `body`, if it is not text.",
	"request.truncated": "Whether the body is longer than shown.",
	response: "The response; null if none began.",
	"response.status_code": "The HTTP status.",
	"response.headers": "Up to 64 headers, with 500 characters each.",
	"response.body_excerpt": "The first 500 characters of a textual response.",
	outcome: "What the response means for a delivery.",
	scope: "`endpoint`: a busy response is about the whole endpoint; `request`: about this request only.",
	error: "What went wrong, beginning with a word such as `timeout`; null if nothing did.",
	retry_after_ms: "How long the server asks to wait; null if it does not.",
	usage: "What the request used, as the server counts; null if the server does not say.",
	"usage.input_tokens": "Input tokens; null if the server does not say.",
	"usage.output_tokens": "Output tokens; null if the server does not say.",
	"usage.seconds": "Seconds of computing; null if the server does not say.",
	model_version: "The model that the server says it ran; null if it does not say.",
	request_id: "The server's id of the request in its own log; null if it does not say.",
	duration_ms: "How long it took, in milliseconds.",
	output: "What a delivery would have as its result; null if there is none.",
	"output.cloudevent": "The attributes, if the output is a CloudEvent; otherwise null.",
	"output.content_type": "The content type of the output; null if it has none.",
	"output.truncated":
		"Whether the output is longer than shown. If so, `data` has its first 65,536 characters as text.",
	"output.data": "JSON as the model spelled it, or text as a string.",
	"output.data_base64": "The output in base64, instead of `data`, if it is neither JSON nor text.",
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
		status: "As in the endpoint itself.",
		status_reason: "As in the endpoint itself.",
		blocked_by: "What blocks deliveries now, as in the endpoint itself; null if nothing does.",
		blocked_until: "When the block ends automatically; null if it depends on something else.",
		in_flight: "Requests in flight. This number and those below are null while they cannot be read.",
		limit:
			"How many requests at once the endpoint has been found to accept; null while nothing shows that it accepts fewer than `max_concurrency`.",
		max_concurrency: "As in the endpoint itself.",
		waiting: "Deliveries that a server has accepted and whose output comes later.",
		backlog: "Unfinished deliveries, including those in flight and waiting.",
		oldest_pending_at: "When the oldest of them arrived; null if there is none.",
		oldest_pending_age_seconds: "How long ago that was.",
		latency_ms: "How long the latest requests took: up to 512 of the last hour.",
		"latency_ms.p50": "Half of them took at most this long, in milliseconds; null if there were none.",
		"latency_ms.p95": "95 % of them took at most this long.",
		"latency_ms.p99": "99 % of them took at most this long.",
		"latency_ms.samples": "How many got a response or timed out.",
		"latency_ms.window_seconds": "How many seconds back they go.",
		outcomes: "How the same requests ended, including those without a response.",
		...Object.fromEntries(
			OUTCOMES.map((outcome) => [`outcomes.${outcome}`, `How many ended as \`${outcome}\`.`]),
		),
		ready:
			"The model server's response to `probe=true`; null if it was not asked, or its response does not say.",
	},
);
