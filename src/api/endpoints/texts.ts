/** What the fields of an endpoint mean, in requests and responses: texts for the API description. */
import { PROTOCOL_NAMES } from "../../models/registry.ts";
import { DEFAULT_COMPLETION, DEFAULT_RETRY } from "../../store/resources/endpoint-columns.ts";
import type { FieldTexts, JsonSchema } from "../openapi/operation.ts";
import { COMMON } from "../openapi/shared.ts";
import { DEFAULT_MAX_CONCURRENCY, DEFAULT_TIMEOUT_SECONDS } from "./fields.ts";

const withDefault = (text: string, value: unknown) => ({ text, schema: { default: value } });

const protocol = (more: JsonSchema) => ({
	text: "How the server expects its input, and where its output is. A `workers-ai:` or `queue:` URL implies its protocol.",
	schema: { enum: PROTOCOL_NAMES, ...more },
});

export const WRITTEN: FieldTexts = {
	name: { text: "The name of the model. Cannot be changed.", schema: { examples: ["ocr"] } },
	version: withDefault(
		"The version of the model. Cannot be changed, and cannot be `latest`, which stands for the newest active version.",
		"1",
	),
	url: {
		text: "Where the server is: https on a public host, port 443 or 8443, without credentials or fragment. Or a binding: `workers-ai:@cf/{author}/{model}`, `queue:{BINDING}`, `vpc:{BINDING}/{path}`.",
		schema: { format: "uri", maxLength: 2_048, examples: ["https://models.example.com/ocr"] },
	},
	protocol: protocol({ default: "http" }),
	model: {
		text: "The server's name of the model, for protocols that put it into the path or the body.",
		schema: { minLength: 1 },
	},
	auth: withDefault("The credentials that the router sends. Stored encrypted and never shown.", {
		type: "none",
	}),
	"auth.type": "The kind of credentials.",
	"auth.token": "For `bearer`.",
	"auth.scheme": "For `bearer`: the word before the token, by default `Bearer`.",
	"auth.username": "For `basic`: without a colon.",
	"auth.password": "For `basic`.",
	"auth.name": "For `header`: its name.",
	"auth.value": "For `header`: its value.",
	"auth.headers": {
		text: "For `headers`: up to five, by name.",
		schema: { minProperties: 1, maxProperties: 5 },
	},
	"auth.access_key_id": "For `aws_sigv4`.",
	"auth.secret_access_key": "For `aws_sigv4`.",
	"auth.session_token": "For `aws_sigv4`: the session token of temporary credentials.",
	"auth.region": "For `aws_sigv4`; by default from the URL's host.",
	"auth.service": "For `aws_sigv4`; by default from the URL's host.",
	"auth.token_url": {
		text: "For `oauth2_client_credentials`: the URL that issues access tokens.",
		schema: { format: "uri", maxLength: 2_048 },
	},
	"auth.client_id": "For `oauth2_client_credentials`.",
	"auth.client_secret": "For `oauth2_client_credentials`.",
	"auth.scope": "For `oauth2_client_credentials`: the scopes to request, separated by spaces.",
	"auth.audience": "For `oauth2_client_credentials`: who the token is for.",
	"auth.client_auth": {
		text: "For `oauth2_client_credentials`: how the client authenticates at the token URL.",
		schema: { default: "basic" },
	},
	headers: withDefault("Sent with each request, 4,096 bytes in total. `***` keeps a stored value.", {}),
	timeout_seconds: withDefault(
		"How long one request may take, from connecting to the end of the response.",
		DEFAULT_TIMEOUT_SECONDS,
	),
	max_concurrency: withDefault(
		"How many requests may be in flight at once; for protocol `cog` the default is 1.",
		DEFAULT_MAX_CONCURRENCY,
	),
	retry: "When a delivery is sent again. Its fields are changed one by one.",
	"retry.schedule_seconds": withDefault(
		"The wait before each further attempt, in seconds. Its length is the number of retries.",
		DEFAULT_RETRY.scheduleSeconds,
	),
	"retry.busy_max_wait_seconds": withDefault(
		"How long a delivery may wait for a busy server before a busy response counts as an attempt.",
		DEFAULT_RETRY.busyMaxWaitSeconds,
	),
	"retry.cold_start_seconds": withDefault(
		"How long lost connections, 502 and 504 mean that the server is starting, from the first attempt on.",
		DEFAULT_RETRY.coldStartSeconds,
	),
	"retry.statuses": withDefault("Statuses that always count as an error.", []),
	busy: "Which responses count as busy.",
	"busy.statuses": withDefault("Statuses that always count as busy.", []),
	completion: "How output that comes later reaches the router. Its fields are changed one by one.",
	"completion.mode":
		"`sync`: in the response; `callback`: the server posts it; `poll`: the router polls for it. null: the protocol's default.",
	"completion.deadline_seconds": withDefault(
		"How long a job may take before it counts as failed.",
		DEFAULT_COMPLETION.deadlineSeconds,
	),
	"completion.hold_slot":
		"Whether a job counts towards `max_concurrency` until it ends; null: the protocol's default.",
	"completion.webhook_secret": {
		text: "`whsec_…`: callbacks must be signed with it, by Standard Webhooks. null: their URL is the only proof. `***` keeps the stored value.",
		schema: { pattern: String.raw`^(whsec_.+|\*\*\*)$` },
	},
	signing_secret: {
		text: "`whsec_…` of 24 to 64 bytes, or `whsk_…` (Ed25519). Generated if left out; shown once.",
		schema: { pattern: "^(whsec|whsk)_" },
	},
	status: withDefault("The initial status.", "active"),
};

export const READ: FieldTexts = {
	...WRITTEN,
	...COMMON,
	url: "The URL of the server.",
	version: "The version.",
	model: "The server's name of the model.",
	signing_secret: "The signing secret. Shown only here.",
	protocol: protocol({ enum: undefined, examples: ["http"] }),
	auth: "Without the credentials; null if it cannot be read.",
	"auth.names": "For `headers`: their names.",
	headers: "Values that look like credentials are shown as `***`; null if the headers cannot be read.",
	completion: "How output that comes later reaches the router; null if it cannot be read.",
	"completion.mode":
		"`sync`: in the response; `callback`: the server posts it; `poll`: the router polls for it.",
	"completion.hold_slot": "Whether a job counts towards `max_concurrency` until it ends.",
	"completion.webhook_secret": "`***` if callbacks must be signed, otherwise null.",
	status: "`disabled`: the server responded with 410 Gone.",
	blocked_by:
		"What blocks deliveries now, such as `paused`, `hold`, `capacity` or `database`; null if nothing does.",
	blocked_until: "When the block ends automatically; null if it depends on something else.",
};
