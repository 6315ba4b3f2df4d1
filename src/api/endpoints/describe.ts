/** The routes of `/v1/endpoints`, described. */
import { type FieldTexts, NOTHING, type OperationDescription, pageOf } from "../openapi/operation.ts";
import {
	ONCE,
	ONCE_CODES,
	PRECONDITIONS,
	PRECONDITION_CODES,
	replayable,
	tagged,
} from "../openapi/conditions.ts";
import { CODEC_CODES, ROTATION, pageQueryOf } from "../openapi/shared.ts";
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

const params: FieldTexts = {
	ref: {
		text: "An endpoint by id or as `name@version`; `name` and `name@latest` are its newest active version.",
		schema: { examples: ["ocr@3"] },
	},
};

const NOT_FOUND = "endpoint_not_found";
const CHANGES = [NOT_FOUND, "changed_meanwhile", ...PRECONDITION_CODES] as const;
const shared = { tag: "Endpoints", params } as const;

export const endpointOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "post",
		path: "/v1/endpoints",
		id: "createEndpoint",
		summary: "Create an endpoint",
		description: "The response has the signing secret, which is not shown again.",
		headers: ONCE,
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
		responses: { 201: replayable(tagged("The endpoint, with its signing secret.", ENDPOINT_WITH_SECRET)) },
		codes: [...ONCE_CODES, "name_taken"],
	},
	{
		...shared,
		method: "get",
		path: "/v1/endpoints",
		id: "listEndpoints",
		summary: "List endpoints",
		query: pageQueryOf(endpointListQuery),
		responses: { 200: { text: "A page of endpoints.", schema: pageOf(ENDPOINT) } },
	},
	{
		...shared,
		method: "get",
		path: "/v1/endpoints/{ref}",
		id: "getEndpoint",
		summary: "Read an endpoint",
		responses: {
			200: tagged("The endpoint, and what keeps its deliveries back.", ENDPOINT_DETAIL),
		},
		codes: [NOT_FOUND],
	},
	{
		...shared,
		method: "put",
		path: "/v1/endpoints/{ref}",
		id: "putEndpoint",
		summary: "Make an endpoint, or replace it",
		description:
			"`{ref}` is `name@version`, or an id, under which it only replaces. What the body leaves out has its default again; `status` and secrets stay unless it names them. It may leave out what the path says, and not contradict it.",
		headers: PRECONDITIONS,
		body: {
			schema: ENDPOINT_PUT,
			examples: { model: { url: "https://models.example.com/ocr", timeout_seconds: 60 } },
		},
		responses: {
			200: tagged("It has been replaced.", ENDPOINT),
			201: tagged("It has been made; the response has the signing secret.", ENDPOINT_WITH_SECRET),
		},
		codes: CHANGES,
	},
	{
		...shared,
		method: "patch",
		path: "/v1/endpoints/{ref}",
		id: "changeEndpoint",
		summary: "Change an endpoint",
		description:
			"Changes the fields that are named. `auth` and `headers` are replaced as a whole, `retry`, `busy` and `completion` field by field.",
		headers: PRECONDITIONS,
		body: {
			schema: ENDPOINT_PATCH,
			examples: { limits: { timeout_seconds: 120, max_concurrency: 2, retry: { cold_start_seconds: 300 } } },
		},
		responses: { 200: tagged("The endpoint.", ENDPOINT) },
		codes: CHANGES,
	},
	{
		...shared,
		method: "delete",
		path: "/v1/endpoints/{ref}",
		id: "deleteEndpoint",
		summary: "Delete an endpoint",
		description: "Deliveries that wait for it end dead `deleted`.",
		headers: PRECONDITIONS,
		responses: { 204: NOTHING },
		codes: [NOT_FOUND, ...PRECONDITION_CODES, "endpoint_in_use"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/endpoints/{ref}/secret/rotate",
		id: "rotateEndpointSecret",
		summary: "Rotate the signing secret of an endpoint",
		description: "Up to ten secrets are valid at once; each request is signed with all of them.",
		headers: PRECONDITIONS,
		body: { schema: ROTATION, optional: true, examples: { day: { grace_period_seconds: 86_400 } } },
		responses: { 200: tagged("The endpoint, with its new signing secret.", ENDPOINT_WITH_SECRET) },
		codes: [...CHANGES, "too_many_secrets"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/endpoints/{ref}/pause",
		id: "pauseEndpoint",
		summary: "Pause an endpoint",
		description: "Nothing is sent, everything is kept.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The endpoint.", ENDPOINT) },
		codes: CHANGES,
	},
	{
		...shared,
		method: "post",
		path: "/v1/endpoints/{ref}/resume",
		id: "resumeEndpoint",
		summary: "Resume an endpoint",
		description: "Also after `unauthorized`, `quota` and `gone`, and while a `Retry-After` holds it.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The endpoint.", ENDPOINT) },
		codes: CHANGES,
	},
	{
		...shared,
		method: "get",
		path: "/v1/endpoints/{ref}/health",
		id: "getEndpointHealth",
		summary: "See how an endpoint does",
		description: "Sends nothing, unless `probe=true` asks the model server.",
		query: {
			name: "HealthQuery",
			schema: healthQuery,
			fields: {
				probe:
					"`true`: the model server is asked now whether the model is ready, where the protocol knows how; waits up to 5 s.",
			},
		},
		responses: { 200: { text: "How it does at this moment.", schema: HEALTH } },
		codes: [NOT_FOUND],
	},
	{
		...shared,
		method: "post",
		path: "/v1/endpoints/{ref}/test",
		id: "testEndpoint",
		summary: "Test an endpoint",
		description:
			"Sends one request now, also to a paused endpoint, and returns it with what came of it, whatever that was. Nothing is recorded, and nothing follows from it. Waits for `timeout_seconds`, at most 60 s. Name `event`, `event_id` or neither.",
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
			NOT_FOUND,
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
