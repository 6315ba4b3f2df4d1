/** A source in requests and responses, with the texts of its fields, for the API description. */
import * as z from "zod";
import { KIND_NAMES, sourceKinds } from "../../sources/registry.ts";
import { STATUSES } from "../../store/records.ts";
import { sourceAuthSchema } from "../../store/resources/source-auth.ts";
import { toJsonSchema } from "../openapi/json-schema.ts";
import { type FieldTexts, type JsonSchema, namedObject, partOf } from "../openapi/operation.ts";
import { COMMON, TIMES, time } from "../openapi/shared.ts";
import { createSourceSchema, patchSourceSchema } from "./fields.ts";

const AUTH: FieldTexts = {
	auth: "How requests prove where they come from. The default depends on the kind. A change replaces the whole object.",
	"auth.type": "How requests prove where they come from.",
	"auth.username": "For `basic`; by default the source's name.",
	"auth.name": "For `header`: the header that carries the secret.",
	"auth.header": "For `hmac`: the header that carries the signature.",
	"auth.algorithm": "For `hmac`: the hash function.",
	"auth.encoding": "For `hmac`: how the signature is written.",
	"auth.prefix": "For `hmac`: what each signature begins with, such as `sha256=`.",
	"auth.secret_encoding": "For `hmac`: how the text of the secret becomes the key.",
	"auth.signed_content": {
		text: "For `hmac`: a template of the signed text, with `{body}` or `{form}`.",
		schema: { minLength: 1, maxLength: 512 },
	},
	"auth.timestamp_header": "For `hmac`: the header with the time that is signed.",
	"auth.tolerance_seconds": "For `hmac`: how far that time may be off, in either direction.",
	"auth.verification_token": "For `hmac`: whether a first, unsigned request delivers the secret.",
	"auth.audience": "For `google_oidc`: the audience of the token; null: the URL as requested.",
	"auth.email": "For `google_oidc`: the service account that pushes.",
};

/** The settings of all kinds; the schema says which belong to which. */
const SETTINGS: FieldTexts = {
	form: "How an HTML form becomes data: as its text, or as a JSON object of its fields.",
	primary_key: "The column whose value is the last part of the subject.",
	signature_max_age_seconds: "How long ago a `standard_webhooks` signature may have been made.",
	dedupe: "Whether equal changes within five minutes are one event.",
	queue: "The queue that the bucket notifies. Only one source can read a queue.",
	topic_arns: "The topics whose messages are accepted.",
	require_signature_version_2: "Whether signatures with SHA-1 are refused.",
	queue_url: "The URL of the queue.",
	access_key_id: "The access key whose secret is the source's secret.",
	region: "The region; by default taken from the URL.",
	subject: "A JSON pointer to the event's subject in the body.",
};

/** One alternative for each form of settings, with its kinds as the title. */
function settingsSchema(): JsonSchema {
	const forms = Map.groupBy(KIND_NAMES, (kind) => sourceKinds[kind].settings);
	const anyOf = [...forms].map(([schema, kinds]) => {
		const converted = toJsonSchema(schema, { io: "input", fields: SETTINGS });
		return { title: kinds.join(", "), ...converted };
	});
	return { anyOf };
}

/** Replaces zod's schema of `settings`. */
const SETTINGS_REF: JsonSchema = {
	type: undefined,
	propertyNames: undefined,
	additionalProperties: undefined,
	$ref: "#/components/schemas/SourceSettings",
};

const kind = (more: JsonSchema) => ({
	text: "The kind of publisher, which decides how requests are verified and read.",
	schema: { enum: KIND_NAMES, ...more },
});

const WRITTEN: FieldTexts = {
	...AUTH,
	name: {
		text: "The name, which is part of the ingest URL. `api`, `results` and `sluice` are built in.",
		schema: { examples: ["documents-db"] },
	},
	kind: kind({ default: "generic" }),
	description: "A note for people.",
	secret: {
		text: "8 to 512 characters without white space around them, unless the auth requires another form. Generated if left out. Shown when it is created or rotated, and never again.",
		schema: { minLength: 1 },
	},
	event_type:
		"Kind `generic`: the event type. Literal text or, if it begins with `=`, JSONata over `{headers, body}`. null: the source's name.",
	subject: "Kind `generic`: the event's subject, written like `event_type`. null: none.",
	dedupe_key: {
		text: "Kind `generic`: JSONata over `{headers, body}`; its value is the event's id.",
		schema: { minLength: 1 },
	},
	expect_every_seconds:
		"If no event arrives for this many seconds, an operational event reports that the source is silent. null: never.",
	test: {
		text: "Whether its events are tests: they are marked `sluicetest`, and only subscriptions that name the source receive them.",
		schema: { default: false },
	},
	settings: { text: "Settings of the source's kind.", schema: SETTINGS_REF },
	status: { text: "The initial status.", schema: { default: "active" } },
};

const READ: FieldTexts = {
	...WRITTEN,
	...COMMON,
	kind: kind({ enum: undefined, examples: ["generic"] }),
	auth: "How requests prove where they come from; null if it cannot be read.",
	settings: "Settings of the source's kind; null if they cannot be read.",
	dedupe_key: "Kind `generic`: JSONata over `{headers, body}`; its value is the event's id.",
	ingest_url: "The URL to which the publisher posts; null if nobody posts to this source.",
	secret: "The secret. Shown only here; null if the auth has none.",
	status: "`quarantined`: an expression is set aside; events are still accepted.",
	pull: "Kind `sqs`: the state of reading the queue; null while it cannot be read.",
	"pull.status": "`failing`: the last try failed and will be repeated.",
	"pull.last_error": "Why the last try failed.",
	"pull.last_message_at": "When the queue last had a message.",
	verification_token: "The token that the publisher sent. Shown only once; null if there is none.",
};

const WITHIN_WRITTEN = {
	parts: [partOf("SourceAuthInput", createSourceSchema.shape.auth.unwrap(), "auth", AUTH)],
	plain: { SourceSettings: settingsSchema },
};
const WITHIN_READ = { parts: [partOf("SourceAuth", sourceAuthSchema, "auth", AUTH)] };

export const SOURCE_CREATE = namedObject("SourceCreate", createSourceSchema, WRITTEN, WITHIN_WRITTEN);
export const SOURCE_PUT = namedObject(
	"SourcePut",
	createSourceSchema.partial({ name: true }),
	{
		...WRITTEN,
		name: { text: "By default the name in the path.", schema: { examples: ["documents-db"] } },
		secret:
			"Takes effect at once and ends all former ones, unless it is the present one. Left out: the secret stays; a new source gets a generated one.",
		status: "Left out: the status stays; a new source is `active`.",
	},
	WITHIN_WRITTEN,
);
export const SOURCE_PATCH = namedObject(
	"SourcePatch",
	patchSourceSchema,
	{
		...WRITTEN,
		kind: kind({}),
		secret: "Takes effect at once and ends all former ones.",
	},
	WITHIN_WRITTEN,
);

const source = z.strictObject({
	id: z.string(),
	name: z.string(),
	kind: z.string(),
	description: z.string().nullable(),
	auth: sourceAuthSchema.nullable(),
	ingest_url: z.string().nullable(),
	event_type: z.string().nullable(),
	subject: z.string().nullable(),
	dedupe_key: z.string().nullable(),
	expect_every_seconds: z.number().int().nullable(),
	test: z.boolean(),
	settings: z.record(z.string(), z.unknown()).nullable(),
	status: z.enum([...STATUSES, "quarantined"]),
	status_reason: z.string().nullable(),
	unreadable: z.array(z.string()).nullable(),
	...TIMES,
});

export const SOURCE = namedObject("Source", source, READ, WITHIN_READ);
export const SOURCE_WITH_SECRET = namedObject(
	"SourceWithSecret",
	source.extend({ secret: z.string().nullable() }),
	READ,
	WITHIN_READ,
);
export const SOURCE_DETAIL = namedObject(
	"SourceDetail",
	source.extend({
		pull: z
			.strictObject({
				status: z.enum(["running", "failing", "stopped"]),
				last_error: z.string().nullable(),
				last_message_at: time.nullable(),
			})
			.nullable()
			.optional(),
		verification_token: z.string().nullable().optional(),
	}),
	READ,
	WITHIN_READ,
);
