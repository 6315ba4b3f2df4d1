/** What an endpoint looks like in requests and responses, with the texts of its fields: for the description. */
import * as z from "zod";
import { PROTOCOL_NAMES } from "../../models/registry.ts";
import { COMPLETION_MODES, ENDPOINT_STATUSES } from "../../store/records.ts";
import { DEFAULT_COMPLETION, DEFAULT_RETRY } from "../../store/resources/endpoint-columns.ts";
import { type FieldTexts, type JsonSchema, namedObject } from "../openapi/operation.ts";
import { COMMON, TIMES, time } from "../openapi/shared.ts";
import {
	DEFAULT_MAX_CONCURRENCY,
	DEFAULT_TIMEOUT_SECONDS,
	createEndpointSchema,
	patchEndpointSchema,
} from "./fields.ts";

const withDefault = (text: string, value: unknown) => ({ text, schema: { default: value } });

const protocol = (more: JsonSchema) => ({
	text: "How the server wants its input and where its output is. A `workers-ai:` or `queue:` URL names its own.",
	schema: { enum: PROTOCOL_NAMES, ...more },
});

const WRITTEN: FieldTexts = {
	name: { text: "What the model is called. Cannot change.", schema: { examples: ["ocr"] } },
	version: withDefault("Cannot change. Not `latest`, which stands for the newest active one.", "1"),
	url: {
		text: "Where the server is: https on a public host, port 443 or 8443, without credentials or fragment. Or a binding: `workers-ai:@cf/{author}/{model}`, `queue:{BINDING}`, `vpc:{BINDING}/{path}`.",
		schema: { format: "uri", maxLength: 2_048, examples: ["https://models.example.com/ocr"] },
	},
	protocol: protocol({ default: "http" }),
	model: "What the server calls the model, for protocols that say it in the path or the body.",
	auth: withDefault("What the router sends to prove itself. Stored encrypted and never shown.", {
		type: "none",
	}),
	"auth.type": "The sort of credentials.",
	"auth.token": "For `bearer`.",
	"auth.scheme": "For `bearer`: the word before the token where it is not `Bearer`.",
	"auth.username": "For `basic`: without a colon.",
	"auth.password": "For `basic`.",
	"auth.name": "For `header`: its name.",
	"auth.value": "For `header`: its value.",
	"auth.headers": "For `headers`: up to five, by name.",
	"auth.access_key_id": "For `aws_sigv4`.",
	"auth.secret_access_key": "For `aws_sigv4`.",
	"auth.session_token": "For `aws_sigv4`: of temporary credentials.",
	"auth.region": "For `aws_sigv4`; by default from the URL's host.",
	"auth.service": "For `aws_sigv4`; by default from the URL's host.",
	"auth.token_url": "For `oauth2_client_credentials`: where access tokens are asked for.",
	"auth.client_id": "For `oauth2_client_credentials`.",
	"auth.client_secret": "For `oauth2_client_credentials`.",
	"auth.scope": "For `oauth2_client_credentials`: the scopes that are asked for, with spaces between them.",
	"auth.audience": "For `oauth2_client_credentials`: who the token is for.",
	"auth.client_auth": {
		text: "For `oauth2_client_credentials`: how the client proves itself to the token URL.",
		schema: { default: "basic" },
	},
	headers: withDefault("Sent with each request, 4,096 bytes in all. `***` keeps a stored value.", {}),
	timeout_seconds: withDefault("For connecting, headers and body together.", DEFAULT_TIMEOUT_SECONDS),
	max_concurrency: withDefault(
		"Requests in flight at once; 1 by default for `cog`.",
		DEFAULT_MAX_CONCURRENCY,
	),
	retry: "When a delivery is sent again. Its fields are changed one by one.",
	"retry.schedule_seconds": withDefault(
		"The wait before each further attempt.",
		DEFAULT_RETRY.scheduleSeconds,
	),
	"retry.busy_max_wait_seconds": withDefault(
		"For how long busy responses cost no attempt.",
		DEFAULT_RETRY.busyMaxWaitSeconds,
	),
	"retry.cold_start_seconds": withDefault(
		"For how long refused connections, 502 and 504 count as a server that starts.",
		DEFAULT_RETRY.coldStartSeconds,
	),
	"retry.statuses": withDefault("Statuses that count as an error, whatever they mean otherwise.", []),
	busy: "What counts as busy.",
	"busy.statuses": withDefault("Statuses that count as busy, whatever they mean otherwise.", []),
	completion: "Where the output is when it comes later. Its fields are changed one by one.",
	"completion.mode":
		"`sync`: in the response; `callback`: the server posts it; `poll`: the router asks for it. null: as the protocol does by default.",
	"completion.deadline_seconds": withDefault(
		"How long a job may take before it counts as failed.",
		DEFAULT_COMPLETION.deadlineSeconds,
	),
	"completion.hold_slot":
		"Whether a job counts towards `max_concurrency` until it ends; null: as the protocol does by default.",
	"completion.webhook_secret":
		"`whsec_…`: callbacks have to be signed with it, by Standard Webhooks. null: their URL is proof enough. `***` keeps the stored value.",
	signing_secret: "`whsec_…` of 24 to 64 bytes, or `whsk_…` (Ed25519). Generated when left out; shown once.",
	status: withDefault("What it is made as.", "active"),
};

const READ: FieldTexts = {
	...WRITTEN,
	...COMMON,
	url: "Where the server is.",
	version: "The version.",
	protocol: protocol({ enum: undefined, examples: ["http"] }),
	auth: "Without the credentials; null when it cannot be read.",
	"auth.names": "For `headers`: their names.",
	headers: "Values that look like credentials read `***`; null when they cannot be read.",
	completion: "Where the output is when it comes later; null when it cannot be read.",
	"completion.mode":
		"`sync`: in the response; `callback`: the server posts it; `poll`: the router asks for it.",
	"completion.hold_slot": "Whether a job counts towards `max_concurrency` until it ends.",
	"completion.webhook_secret": "`***` where callbacks have to be signed, else null.",
	status: "`disabled`: the server said that it is gone.",
	blocked_by:
		"What keeps deliveries back now, such as `paused`, `hold`, `capacity` or `database`; null when nothing does.",
	blocked_until: "When that ends by itself; null when something has to happen first.",
};

const statuses = z.array(z.number().int());

const endpoint = z.strictObject({
	id: z.string(),
	name: z.string(),
	version: z.string(),
	url: z.string(),
	protocol: z.string(),
	model: z.string().nullable(),
	auth: z
		.discriminatedUnion("type", [
			z.strictObject({ type: z.literal("none") }),
			z.strictObject({ type: z.literal("bearer"), scheme: z.string().optional() }),
			z.strictObject({ type: z.literal("basic"), username: z.string() }),
			z.strictObject({ type: z.literal("header"), name: z.string() }),
			z.strictObject({ type: z.literal("headers"), names: z.array(z.string()) }),
			z.strictObject({
				type: z.literal("aws_sigv4"),
				access_key_id: z.string(),
				region: z.string().optional(),
				service: z.string().optional(),
			}),
			z.strictObject({
				type: z.literal("oauth2_client_credentials"),
				token_url: z.string(),
				client_id: z.string(),
				scope: z.string().optional(),
				audience: z.string().optional(),
				client_auth: z.enum(["basic", "body"]).optional(),
			}),
		])
		.nullable(),
	headers: z.record(z.string(), z.string()).nullable(),
	timeout_seconds: z.number(),
	max_concurrency: z.number().int(),
	retry: z.strictObject({
		schedule_seconds: z.array(z.number()),
		busy_max_wait_seconds: z.number(),
		cold_start_seconds: z.number(),
		statuses,
	}),
	busy: z.strictObject({ statuses }),
	completion: z
		.strictObject({
			mode: z.enum(COMPLETION_MODES),
			deadline_seconds: z.number().int(),
			hold_slot: z.boolean(),
			webhook_secret: z.string().nullable(),
		})
		.nullable(),
	status: z.enum([...ENDPOINT_STATUSES, "quarantined"]),
	status_reason: z.string().nullable(),
	unreadable: z.array(z.string()).nullable(),
	...TIMES,
});

export const ENDPOINT_CREATE = namedObject("EndpointCreate", createEndpointSchema, WRITTEN);
export const ENDPOINT_PUT = namedObject("EndpointPut", createEndpointSchema.partial({ name: true }), {
	...WRITTEN,
	name: { text: "As the path says.", schema: { examples: ["ocr"] } },
	version: "As the path says.",
	signing_secret:
		"Counts at once and ends all former ones, unless it is the present one. Left out: stays; that of a new endpoint is generated.",
	status: "Stays when left out; a new endpoint is `active`.",
});
export const ENDPOINT_PATCH = namedObject("EndpointPatch", patchEndpointSchema, WRITTEN);
export const ENDPOINT = namedObject("Endpoint", endpoint, READ);
export const ENDPOINT_WITH_SECRET = namedObject(
	"EndpointWithSecret",
	endpoint.extend({ signing_secret: z.string() }),
	READ,
);
export const ENDPOINT_DETAIL = namedObject(
	"EndpointDetail",
	endpoint.extend({ blocked_by: z.string().nullable(), blocked_until: time.nullable() }),
	READ,
);
