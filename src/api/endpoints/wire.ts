/** An endpoint in requests and responses: schemas for the API description. */
import * as z from "zod";
import { COMPLETION_MODES, ENDPOINT_STATUSES } from "../../store/records.ts";
import { namedObject, partOf } from "../openapi/operation.ts";
import { TIMES, time } from "../openapi/shared.ts";
import { authField } from "./auth-fields.ts";
import { createEndpointSchema, patchEndpointSchema } from "./fields.ts";
import { READ, WRITTEN } from "./texts.ts";

const statuses = z.array(z.number().int());

const auth = z.discriminatedUnion("type", [
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
]);

const endpoint = z.strictObject({
	id: z.string(),
	name: z.string(),
	version: z.string(),
	url: z.string(),
	protocol: z.string(),
	model: z.string().nullable(),
	auth: auth.nullable(),
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

const WITHIN_WRITTEN = { parts: [partOf("EndpointAuthInput", authField, "auth", WRITTEN)] };
const WITHIN_READ = { parts: [partOf("EndpointAuth", auth, "auth", READ)] };

export const ENDPOINT_CREATE = namedObject("EndpointCreate", createEndpointSchema, WRITTEN, WITHIN_WRITTEN);
export const ENDPOINT_PUT = namedObject(
	"EndpointPut",
	createEndpointSchema.partial({ name: true }),
	{
		...WRITTEN,
		name: { text: "As in the path.", schema: { examples: ["ocr"] } },
		version: "As in the path.",
		signing_secret: {
			text: "Takes effect at once and ends all former ones, unless it is the present one. Left out: the secret stays; a new endpoint gets a generated one.",
			schema: { pattern: "^(whsec|whsk)_" },
		},
		status: "Left out: the status stays; a new endpoint is `active`.",
	},
	WITHIN_WRITTEN,
);
export const ENDPOINT_PATCH = namedObject("EndpointPatch", patchEndpointSchema, WRITTEN, WITHIN_WRITTEN);
export const ENDPOINT = namedObject("Endpoint", endpoint, READ, WITHIN_READ);
export const ENDPOINT_WITH_SECRET = namedObject(
	"EndpointWithSecret",
	endpoint.extend({ signing_secret: z.string() }),
	READ,
	WITHIN_READ,
);
export const ENDPOINT_DETAIL = namedObject(
	"EndpointDetail",
	endpoint.extend({ blocked_by: z.string().nullable(), blocked_until: time.nullable() }),
	READ,
	WITHIN_READ,
);
