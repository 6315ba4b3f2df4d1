/** The descriptions of `/v1/sources`. */
import type { OperationDescription } from "../openapi/operation.ts";
import { type ResourceDescription, commonOperations } from "../openapi/resource.ts";
import { sourceListQuery } from "./list.ts";
import { SETUP, TEST, TEST_OPTIONS } from "./setup-schemas.ts";
import {
	SOURCE,
	SOURCE_CREATE,
	SOURCE_DETAIL,
	SOURCE_PATCH,
	SOURCE_PUT,
	SOURCE_WITH_SECRET,
} from "./wire.ts";

const resource: ResourceDescription = {
	tag: "Sources",
	path: "/v1/sources",
	one: "a source",
	ref: { text: "A source by id or name.", schema: { examples: ["documents-db"] } },
	notFound: "source_not_found",
	shown: SOURCE,
	list: sourceListQuery,
	read: ["The source.", SOURCE_DETAIL],
	create: {
		description: "The response contains the secret, which is not shown again.",
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
		made: ["The source, with its secret.", SOURCE_WITH_SECRET],
		codes: ["queue_taken"],
	},
	put: {
		description:
			"Fields that the body leaves out get their defaults, except the secret and `status`, which stay. `name` may be left out, because the path has it. If `{ref}` is an id, the request only replaces, and `name` may be a new one.",
		body: {
			schema: SOURCE_PUT,
			examples: { database: { event_type: "document.inserted", dedupe_key: "body.id" } },
		},
		written: SOURCE,
		made: ["The source has been created. The response contains the secret.", SOURCE_WITH_SECRET],
		codes: ["name_taken", "queue_taken"],
	},
	change: {
		description: "Changes only the fields in the body. `auth` and `settings` are replaced as a whole.",
		body: { schema: SOURCE_PATCH, examples: { rename: { description: "Rows of two tables" } } },
		codes: ["name_taken", "queue_taken"],
	},
	remove: { codes: ["source_in_use"] },
	rotate: {
		secret: "secret",
		description:
			"The former secret stays valid for `grace_period_seconds`. Up to ten secrets are valid at once.",
		examples: { hour: { grace_period_seconds: 3_600 } },
		rotated: ["The source, with its new secret.", SOURCE_WITH_SECRET],
		codes: ["no_secret", "rotate_by_patch", "too_many_secrets"],
	},
	pause: {
		description:
			"Publishers of a paused source get 503 `source_paused`, so that they send their events again later.",
	},
	resume: { description: "Also makes the router run an expression again that was set aside." },
};

const shared = { tag: "Sources", params: { ref: resource.ref } } as const;

export const sourceOperations: readonly OperationDescription[] = [
	...commonOperations(resource),
	{
		...shared,
		method: "get",
		path: "/v1/sources/{ref}/setup",
		id: "getSourceSetup",
		summary: "Get the set-up of the publisher",
		responses: { 200: { text: "Steps to connect the publisher, with the real ingest URL.", schema: SETUP } },
		codes: ["source_not_found", "settings_unreadable"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/sources/{ref}/test",
		id: "testSource",
		summary: "Send a sample through a source",
		description:
			"Sends the sample request of the source's kind, with a proof made from the stored secret. It is verified and routed like any other request. Its event has the attribute `sluicetest: true`, so that filters can exclude it.",
		body: { schema: TEST_OPTIONS, optional: true, examples: { decisions: { deliver: false } } },
		responses: { 200: { text: "The request that was sent, and the response to it.", schema: TEST } },
		codes: [
			"source_not_found",
			"source_paused",
			"settings_unreadable",
			"secret_unreadable",
			"queue_unavailable",
		],
	},
];
