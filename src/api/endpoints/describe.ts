/** The descriptions of `/v1/endpoints`. */
import type { OperationDescription } from "../openapi/operation.ts";
import { type ResourceDescription, commonOperations } from "../openapi/resource.ts";
import { CODEC_CODES } from "../openapi/shared.ts";
import { healthQuery } from "./health.ts";
import { HEALTH, TEST, TRIAL } from "./trial-schemas.ts";
import { endpointListQuery } from "./list.ts";
import {
	ENDPOINT,
	ENDPOINT_CREATE,
	ENDPOINT_DETAIL,
	ENDPOINT_PATCH,
	ENDPOINT_PUT,
	ENDPOINT_WITH_SECRET,
} from "./wire.ts";

const resource: ResourceDescription = {
	tag: "Endpoints",
	path: "/v1/endpoints",
	one: "an endpoint",
	ref: {
		text: "An endpoint by id or as `name@version`; `name` and `name@latest` are its newest active version.",
		schema: { examples: ["ocr@3"] },
	},
	notFound: "endpoint_not_found",
	shown: ENDPOINT,
	list: endpointListQuery,
	read: ["The endpoint, and what blocks its deliveries.", ENDPOINT_DETAIL],
	create: {
		description: "The response contains the signing secret, which is not shown again.",
		body: {
			schema: ENDPOINT_CREATE,
			examples: {
				model: {
					name: "ocr",
					version: "3",
					url: "https://models.example.com/ocr",
					auth: { type: "bearer", token: "token-of-the-server" },
					timeout_seconds: 60,
				},
				protocol: {
					name: "summary",
					url: "https://models.example.com/v1",
					protocol: "openai-chat",
					model: "llama-3.1-8b",
					retry: { schedule_seconds: [5, 60, 600], statuses: [404] },
				},
			},
		},
		made: ["The endpoint, with its signing secret.", ENDPOINT_WITH_SECRET],
	},
	put: {
		description:
			"`{ref}` is `name@version`, or an id, which only replaces. Fields that the body leaves out get their defaults, except `status` and secrets, which stay. `name` and `version` may be left out, because the path has them.",
		body: {
			schema: ENDPOINT_PUT,
			examples: { model: { url: "https://models.example.com/ocr", timeout_seconds: 60 } },
		},
		written: ENDPOINT,
		made: ["The endpoint has been created. The response contains the signing secret.", ENDPOINT_WITH_SECRET],
	},
	change: {
		description:
			"Changes only the fields in the body. `auth` and `headers` are replaced as a whole, `retry`, `busy` and `completion` field by field.",
		body: {
			schema: ENDPOINT_PATCH,
			examples: { limits: { timeout_seconds: 120, max_concurrency: 2, retry: { cold_start_seconds: 300 } } },
		},
	},
	remove: {
		description: "Its waiting deliveries end as dead, with the reason `deleted`.",
		codes: ["endpoint_in_use"],
	},
	rotate: {
		secret: "signing secret",
		description: "Up to ten secrets are valid at once; each request is signed with all of them.",
		examples: { day: { grace_period_seconds: 86_400 } },
		rotated: ["The endpoint, with its new signing secret.", ENDPOINT_WITH_SECRET],
		codes: ["too_many_secrets"],
	},
	pause: { description: "Stops sending to the endpoint. Its deliveries are kept and wait." },
	resume: {
		description:
			"Also works if the router itself has stopped the endpoint (`unauthorized`, `quota`, `gone`), and while a `Retry-After` blocks it.",
	},
};

const shared = { tag: "Endpoints", params: { ref: resource.ref } } as const;

export const endpointOperations: readonly OperationDescription[] = [
	...commonOperations(resource),
	{
		...shared,
		method: "get",
		path: "/v1/endpoints/{ref}/health",
		id: "getEndpointHealth",
		summary: "Read an endpoint's health",
		description: "Sends nothing, unless `probe=true` asks the model server.",
		query: {
			name: "HealthQuery",
			schema: healthQuery,
			fields: {
				probe:
					"`true`: asks the model server now whether the model is ready, if the protocol supports that. Waits up to 5 s.",
			},
		},
		responses: { 200: { text: "The endpoint's health at this moment.", schema: HEALTH } },
		codes: ["endpoint_not_found"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/endpoints/{ref}/test",
		id: "testEndpoint",
		summary: "Test an endpoint",
		description:
			"Sends one request now, even to a paused endpoint, and returns the request and its result, even if it failed. Nothing is recorded, and the endpoint and its deliveries do not change. Waits for `timeout_seconds`, at most 60 s. Give `event`, `event_id` or neither.",
		body: {
			schema: TEST,
			optional: true,
			examples: {
				event: {
					event: { type: "document.inserted", data: { url: "https://a.example/7" } },
					transform: '{ "url": data.url }',
				},
				sample: {},
			},
		},
		responses: { 200: { text: "The request, the response, and what it means.", schema: TRIAL } },
		codes: [
			"endpoint_not_found",
			"event_not_found",
			"event_not_routed",
			"unreadable",
			"input_misfit",
			"transform_failed",
			"secret_unreadable",
			...CODEC_CODES,
		],
	},
];
