/** The routes of `/v1/sources`, described. */
import * as z from "zod";
import { type FieldTexts, NOTHING, type OperationDescription, pageOf } from "../openapi/operation.ts";
import {
	ONCE,
	ONCE_CODES,
	PRECONDITIONS,
	PRECONDITION_CODES,
	replayable,
	tagged,
} from "../openapi/conditions.ts";
import { ROTATION, pageQueryOf } from "../openapi/shared.ts";
import { sourceListQuery } from "./list.ts";
import {
	SOURCE,
	SOURCE_CREATE,
	SOURCE_DETAIL,
	SOURCE_PATCH,
	SOURCE_PUT,
	SOURCE_WITH_SECRET,
} from "./wire.ts";
import { testSourceSchema } from "./fields.ts";

const params: FieldTexts = {
	ref: { text: "A source by id or name.", schema: { examples: ["documents-db"] } },
};

const step = z.strictObject({
	title: z.string(),
	language: z.enum(["sql", "shell", "json", "javascript", "properties", "toml", "text"]),
	code: z.string(),
});

const STEP_FIELDS: FieldTexts = Object.fromEntries(
	["variants.steps", "variants.remove"].flatMap((path) => [
		[`${path}.title`, "What it does."],
		[`${path}.language`, "What the code is written in."],
		[`${path}.code`, "To be run as it stands; twice does no harm."],
	]),
);

const SETUP = {
	name: "SourceSetup",
	schema: z.strictObject({
		source: z.string(),
		kind: z.string(),
		ingest_url: z.string().nullable(),
		secret_placeholder: z.string().nullable(),
		variants: z.array(
			z.strictObject({ name: z.string(), title: z.string(), steps: z.array(step), remove: step.optional() }),
		),
	}),
	fields: {
		source: "The source's name.",
		kind: "The source's kind.",
		ingest_url: "Where the publisher posts; null where nobody does.",
		secret_placeholder: "Stands where the secret belongs; null where there is none.",
		variants: "Ways to connect the publisher, of which one is enough.",
		"variants.name": "A short name.",
		"variants.title": "When to choose it.",
		"variants.steps": "In order.",
		"variants.remove": "Takes all of it away again.",
		...STEP_FIELDS,
	},
};

const TEST_OPTIONS = { name: "SourceTestOptions", schema: testSourceSchema, fields: {} };

const TEST = {
	name: "SourceTest",
	schema: z.strictObject({
		sent: z.strictObject({ headers: z.record(z.string(), z.string()), body: z.string() }),
		answer: z.strictObject({ status: z.number().int(), body: z.unknown() }),
	}),
	fields: {
		sent: "What the publisher would have sent.",
		"sent.headers": "Without the proof.",
		"sent.body": "As text.",
		answer: "What the publisher would have been answered.",
		"answer.status": "The HTTP status.",
		"answer.body": "The JSON of the response; null where there was none.",
	},
};

const NOT_FOUND = "source_not_found";
const CHANGES = [NOT_FOUND, "changed_meanwhile", ...PRECONDITION_CODES] as const;
const shared = { tag: "Sources", params } as const;

export const sourceOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "post",
		path: "/v1/sources",
		id: "createSource",
		summary: "Create a source",
		description: "The response has the secret, which is not shown again.",
		headers: ONCE,
		body: {
			schema: SOURCE_CREATE,
			examples: {
				database: {
					name: "documents-db",
					description: "Rows of the scans table",
					event_type: "document.inserted",
					dedupe_key: "body.id",
				},
				signed: { name: "forms", auth: { type: "hmac", header: "x-signature", prefix: "sha256=" } },
				github: { name: "repository", kind: "github", status: "paused" },
			},
		},
		responses: { 201: replayable(tagged("The source, with its secret.", SOURCE_WITH_SECRET)) },
		codes: [...ONCE_CODES, "name_taken", "queue_taken"],
	},
	{
		...shared,
		method: "get",
		path: "/v1/sources",
		id: "listSources",
		summary: "List sources",
		query: pageQueryOf(sourceListQuery),
		responses: { 200: { text: "A page of sources.", schema: pageOf(SOURCE) } },
	},
	{
		...shared,
		method: "get",
		path: "/v1/sources/{ref}",
		id: "getSource",
		summary: "Read a source",
		responses: { 200: tagged("The source.", SOURCE_DETAIL) },
		codes: [NOT_FOUND],
	},
	{
		...shared,
		method: "put",
		path: "/v1/sources/{ref}",
		id: "putSource",
		summary: "Make a source, or replace it",
		description:
			"What the body leaves out has its default again; the secret and `status` stay unless it names them. It may leave out `name`, which the path says. Under an id it only replaces, and may name another `name`.",
		headers: PRECONDITIONS,
		body: {
			schema: SOURCE_PUT,
			examples: { database: { event_type: "document.inserted", dedupe_key: "body.id" } },
		},
		responses: {
			200: tagged("It has been replaced.", SOURCE),
			201: tagged("It has been made; the response has the secret.", SOURCE_WITH_SECRET),
		},
		codes: [...CHANGES, "name_taken", "queue_taken"],
	},
	{
		...shared,
		method: "patch",
		path: "/v1/sources/{ref}",
		id: "changeSource",
		summary: "Change a source",
		description: "Changes the fields that are named. Objects are replaced as a whole.",
		headers: PRECONDITIONS,
		body: { schema: SOURCE_PATCH, examples: { rename: { description: "Rows of two tables" } } },
		responses: { 200: tagged("The source.", SOURCE) },
		codes: [...CHANGES, "name_taken", "queue_taken"],
	},
	{
		...shared,
		method: "delete",
		path: "/v1/sources/{ref}",
		id: "deleteSource",
		summary: "Delete a source",
		headers: PRECONDITIONS,
		responses: { 204: NOTHING },
		codes: [NOT_FOUND, ...PRECONDITION_CODES, "source_in_use"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/sources/{ref}/secret/rotate",
		id: "rotateSourceSecret",
		summary: "Rotate the secret of a source",
		description: "Up to ten secrets are valid at once.",
		headers: PRECONDITIONS,
		body: { schema: ROTATION, optional: true, examples: { hour: { grace_period_seconds: 3_600 } } },
		responses: { 200: tagged("The source, with its new secret.", SOURCE_WITH_SECRET) },
		codes: [...CHANGES, "no_secret", "rotate_by_patch", "too_many_secrets"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/sources/{ref}/pause",
		id: "pauseSource",
		summary: "Pause a source",
		description: "Publishers get 503 `source_paused`, so that they send again what was not taken.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The source.", SOURCE) },
		codes: CHANGES,
	},
	{
		...shared,
		method: "post",
		path: "/v1/sources/{ref}/resume",
		id: "resumeSource",
		summary: "Resume a source",
		description: "Tries an expression again that was set aside.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The source.", SOURCE) },
		codes: CHANGES,
	},
	{
		...shared,
		method: "get",
		path: "/v1/sources/{ref}/setup",
		id: "getSourceSetup",
		summary: "How to connect the publisher",
		responses: { 200: { text: "Steps with the real URL.", schema: SETUP } },
		codes: [NOT_FOUND, "settings_unreadable"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/sources/{ref}/test",
		id: "testSource",
		summary: "Send a sample through a source",
		description:
			"The kind's sample, with a proof made from the stored secret, verified and routed as any request.",
		body: { schema: TEST_OPTIONS, optional: true, examples: { decisions: { deliver: false } } },
		responses: { 200: { text: "What was sent and answered.", schema: TEST } },
		codes: [NOT_FOUND, "source_paused", "settings_unreadable", "secret_unreadable", "queue_unavailable"],
	},
];
