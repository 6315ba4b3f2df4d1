/** The descriptions of the ingest routes and of the router's own pages. */
import * as z from "zod";
import type { FieldTexts, NamedSchema, OperationDescription } from "./operation.ts";
import { ACCEPTED, HEADERS_OF_EVENTS, time } from "./shared.ts";

const params: FieldTexts = {
	source: { text: "A source by name or id.", schema: { examples: ["documents-db"] } },
};

const ANY: NamedSchema = { name: "PublisherResponse", schema: z.unknown(), fields: {} };

const backlog = z.strictObject({
	backlog_count: z.number().nullable(),
	backlog_bytes: z.number().nullable(),
	oldest_message_at: time.nullable(),
});

const backlogTexts = (name: string): FieldTexts => ({
	[`${name}.backlog_count`]: "Messages that are waiting; null if the queue does not report it.",
	[`${name}.backlog_bytes`]: "Their size in bytes; null if the queue does not report it.",
	[`${name}.oldest_message_at`]: "When the oldest of them arrived; null if the queue does not report it.",
});

const HEALTH: NamedSchema = {
	name: "Health",
	schema: z.strictObject({ status: z.literal("ok"), queue: backlog, dead_letter_queue: backlog }),
	fields: {
		status: "The Worker is alive.",
		queue: "Events that are waiting to be routed.",
		dead_letter_queue: "Messages that could not be routed.",
		...backlogTexts("queue"),
		...backlogTexts("dead_letter_queue"),
	},
};

const DOCUMENT: NamedSchema = {
	name: "OpenApiDocument",
	schema: z.looseObject({ openapi: z.string() }),
	fields: { openapi: "The version of OpenAPI." },
};

const shared = { tag: "Ingest", access: "source", params } as const;

export const ingestOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "post",
		path: "/in/{source}",
		id: "ingest",
		summary: "Send events to a source",
		description:
			"The body is what the source's `kind` expects. The source's `auth` says how the request proves where it comes from, by default with `authorization: Bearer SECRET`. Nothing is stored before the request is verified. 202 means that the queue has stored the events.",
		headers: HEADERS_OF_EVENTS,
		takes: {
			"application/json": {
				text: "What the publisher sends: kind `generic` makes one event of any JSON.",
				example: { title: "Again" },
			},
			"application/cloudevents+json": { text: "A CloudEvent in structured mode, for kind `cloudevents`." },
			"application/cloudevents-batch+json": { text: "Up to 5,000 CloudEvents, for kind `cloudevents`." },
			"*/*": { text: "Anything else that the source's kind accepts: forms, text, bytes." },
		},
		responses: {
			200: {
				text: "A response that some publishers expect instead of 202, or the response to a handshake.",
				schema: ANY,
			},
			202: { text: "The queue has stored the events.", schema: ACCEPTED },
		},
		codes: [
			"unauthorized",
			"source_not_found",
			"source_not_posted",
			"source_paused",
			"source_unavailable",
			"secret_unreadable",
			"settings_unreadable",
			"invalid_json",
			"invalid_payload",
			"invalid_form",
			"invalid_header",
			"missing_header",
			"invalid_cloudevent",
			"invalid_sns_message",
			"sns_raw_delivery",
			"attribute_too_long",
			"too_many_attributes",
			"nested_too_deep",
			"duplicate_member",
			"body_incomplete",
			"body_too_large",
			"event_too_large",
			"too_many_events",
			"unsupported_media_type",
			"unsupported_content_encoding",
			"queue_unavailable",
			"too_busy",
			"too_slow",
			"keys_unavailable",
			"certificate_unavailable",
			"subscription_not_confirmed",
		],
	},
	{
		...shared,
		method: "options",
		path: "/in/{source}",
		id: "askConsent",
		summary: "Ask for consent to send CloudEvents",
		description:
			"The handshake of the CloudEvents webhook specification, for source kinds that receive CloudEvents.",
		headers: { "WebHook-Request-Origin": "The DNS name of the sender that asks for consent." },
		responses: { 200: { text: "Consent, in the response headers.", schema: null } },
		codes: [
			"source_not_found",
			"source_not_posted",
			"method_not_allowed",
			"source_paused",
			"source_unavailable",
			"secret_unreadable",
			"settings_unreadable",
		],
	},
];

const router = { tag: "Router", access: "open" } as const;

export const routerOperations: readonly OperationDescription[] = [
	{
		...router,
		method: "get",
		path: "/healthz",
		access: "always",
		id: "getHealth",
		summary: "Whether the router is alive",
		description: "Needs no key, and responds even before `ADMIN_TOKEN` is set.",
		responses: {
			200: { text: "The router is alive. Shows how much is waiting in its queues.", schema: HEALTH },
		},
	},
	{
		...router,
		method: "get",
		path: "/openapi.json",
		id: "getDescription",
		summary: "This description",
		responses: { 200: { text: "OpenAPI 3.1.", schema: DOCUMENT } },
	},
	{
		...router,
		method: "get",
		path: "/docs",
		id: "getDocs",
		summary: "This description as a page",
		responses: {
			200: { text: "A page that loads nothing from other hosts.", schema: null, contentType: "text/html" },
		},
	},
];
