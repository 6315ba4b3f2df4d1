/** The routes of `/v1/config`, described. */
import * as z from "zod";
import { ONCE, ONCE_CODES, replayable } from "../openapi/conditions.ts";
import { type OperationDescription, namedObject } from "../openapi/operation.ts";
import { configDocumentSchema, configSchema } from "./document.ts";
import { configQuery } from "./query.ts";

const INPUT = { name: "ConfigurationInput", schema: configSchema, fields: {} };
const DOCUMENT = { name: "Configuration", schema: configDocumentSchema, fields: {} };

const entry = z.strictObject({
	resource: z.enum(["source", "endpoint", "subscription"]).describe("The type of the resource."),
	name: z.string().describe("Its name; for an endpoint `name@version`."),
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
		created: "Resources that are created.",
		changed: "Resources that are changed.",
		deleted: "Resources that are deleted.",
		unchanged: "Resources that already match the document.",
		secrets: "The generated secrets, by key. Shown only here; none in a dry run.",
	},
);

export const configOperations: readonly OperationDescription[] = [
	{
		tag: "Configuration",
		method: "get",
		path: "/v1/config",
		id: "getConfiguration",
		summary: "Read the configuration",
		description: "Returns a document without ids and secrets that `POST` accepts. Up to 1,000 entries.",
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
			"All or nothing. Each entry replaces the resource with its name, as `PUT` does. If others change a resource at the same moment, nothing is written.",
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
		responses: { 200: replayable({ text: "What was changed, or would be.", schema: PLAN }) },
		codes: [...ONCE_CODES, "changed_meanwhile", "config_too_large"],
	},
];
