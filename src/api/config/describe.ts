/** The routes of `/v1/config`, described. */
import * as z from "zod";
import { ONCE, ONCE_CODES, replayable } from "../openapi/conditions.ts";
import { type OperationDescription, namedObject } from "../openapi/operation.ts";
import { configDocumentSchema, configSchema } from "./document.ts";
import { configQuery } from "./query.ts";

const INPUT = { name: "ConfigurationInput", schema: configSchema, fields: {} };
const DOCUMENT = { name: "Configuration", schema: configDocumentSchema, fields: {} };

const entry = z.strictObject({
	resource: z.enum(["source", "endpoint", "subscription"]).describe("What it is."),
	name: z.string().describe("Its name; an endpoint's as `name@version`."),
});

const PLAN = namedObject(
	"ConfigurationPlan",
	z.strictObject({
		dry_run: z.boolean(),
		created: z.array(entry),
		changed: z.array(
			entry.extend({ fields: z.array(z.string()).describe("The fields that change, as paths.") }),
		),
		deleted: z.array(entry),
		unchanged: z.array(entry),
		secrets: z.record(z.string(), z.string()),
	}),
	{
		dry_run: "Whether this is only the plan.",
		created: "What is made.",
		changed: "What is changed.",
		deleted: "What is deleted.",
		unchanged: "What is as the document says already.",
		secrets: "The secrets that were made, by their keys, this once; none in a dry run.",
	},
);

export const configOperations: readonly OperationDescription[] = [
	{
		tag: "Configuration",
		method: "get",
		path: "/v1/config",
		id: "getConfiguration",
		summary: "Read the configuration",
		description: "As a document without ids and secrets, which `POST` takes. Up to 1,000 entries.",
		responses: { 200: { text: "The document.", schema: DOCUMENT } },
		codes: ["config_too_large", "config_unreadable"],
	},
	{
		tag: "Configuration",
		method: "post",
		path: "/v1/config",
		id: "applyConfiguration",
		summary: "Apply a configuration",
		description:
			"All or nothing. Entries replace what has their name, as `PUT` does. When anything is changed by others at the same moment, nothing is written.",
		query: { name: "ConfigurationQuery", schema: configQuery, fields: {} },
		headers: ONCE,
		body: {
			schema: INPUT,
			examples: {
				pipeline: {
					sources: [{ name: "documents-db", event_type: "document.inserted" }],
					endpoints: [{ name: "ocr", version: "3", url: "https://models.example.com/ocr" }],
					subscriptions: [{ name: "ocr-scans", source: "documents-db", targets: [{ endpoint: "ocr@3" }] }],
				},
				plan: { sources: [{ name: "documents-db" }], dry_run: true },
			},
		},
		responses: { 200: replayable({ text: "What has been changed, or would be.", schema: PLAN }) },
		codes: [...ONCE_CODES, "changed_meanwhile", "config_too_large"],
	},
];
