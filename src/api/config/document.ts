/**
 * The configuration as one document: the schema of a request, and the export of what is stored.
 * Entries are checked like the bodies of POST, after their secrets are filled in (secrets.ts).
 */
import * as z from "zod";
import type { Configuration } from "../../store/resources/configuration.ts";
import type { FieldError } from "../../http/problem.ts";
import { declaredEndpoint, secretPaths } from "../endpoints/declared.ts";
import { withValueAt } from "../fields/paths.ts";
import { BUILTIN_NAMES } from "../fields/source-refs.ts";
import { declaredSource, needsSecret } from "../sources/declared.ts";
import { declaredSubscription } from "../subscriptions/declared.ts";
import type { KnownNames } from "../subscriptions/fields.ts";
import { isUngranted } from "../subscriptions/requests.ts";
import { secretKey } from "./secrets.ts";

/** In one document, and in an export. */
export const MAX_ENTRIES = 1_000;

const entries = z.array(z.record(z.string(), z.unknown())).max(MAX_ENTRIES);

export const configSchema = z
	.strictObject({
		sources: entries
			.optional()
			.describe("Each entry is a body of POST /v1/sources. If omitted, sources are not changed."),
		endpoints: entries
			.optional()
			.describe("Each entry is a body of POST /v1/endpoints. If omitted, endpoints are not changed."),
		subscriptions: entries
			.optional()
			.describe(
				"Each entry is a body of POST /v1/subscriptions, with a name; `status` may also be `requested` or `denied`. If omitted, subscriptions are not changed.",
			),
		secrets: z
			.record(z.string(), z.string())
			.optional()
			.describe("The values for the {secret_ref} references in the entries, by key."),
		dry_run: z.boolean().optional().describe("Only return the plan."),
		prune: z
			.boolean()
			.optional()
			.describe(
				"Delete everything that is missing in the lists of the document. An omitted list deletes nothing.",
			),
	})
	.refine(
		({ sources = [], endpoints = [], subscriptions = [] }) =>
			sources.length + endpoints.length + subscriptions.length <= MAX_ENTRIES,
		`at most ${MAX_ENTRIES} entries in total`,
	);

export type ConfigInput = z.output<typeof configSchema>;

const entrySchema = z.array(z.record(z.string(), z.unknown()));

export const configDocumentSchema = z.strictObject({
	sources: entrySchema.describe(
		"Each entry is a body of POST /v1/sources, with a {secret_ref} for its secret.",
	),
	endpoints: entrySchema.describe(
		"Each entry is a body of POST /v1/endpoints, with a {secret_ref} for each secret.",
	),
	subscriptions: entrySchema.describe(
		"Each entry is a body of POST /v1/subscriptions; `status` is `requested` or `denied` if there is no grant.",
	),
});

export type ConfigDocument = z.output<typeof configDocumentSchema>;

/** Names by id, including those of the built-in sources. */
export function namesIn({ sources, endpoints }: Pick<Configuration, "sources" | "endpoints">): KnownNames {
	return {
		sources: new Map([...BUILTIN_NAMES, ...sources.map(({ id, name }) => [id, name] as const)]),
		endpoints: new Map(endpoints.map(({ id, name, version }) => [id, `${name}@${version}`])),
	};
}

/**
 * What is stored, without secrets, and what cannot be exported: path and reason of each entry that
 * is stored in an unreadable form, or names a lost resource.
 */
export function exportConfiguration(stored: Configuration): {
	document: ConfigDocument;
	untold: FieldError[];
} {
	const names = namesIn(stored);
	const untold: FieldError[] = [];
	const subscriptions = stored.subscriptions.flatMap((subscription) => {
		const path = `subscriptions/${subscription.name}`;
		const declared = declaredSubscription(subscription, names);
		if (declared === null)
			untold.push({ path, message: "refers to a source or an endpoint that no longer exists" });
		if (subscription.unreadable !== undefined) {
			untold.push({ path, message: `cannot be read: ${subscription.unreadable.join(", ")}` });
		}
		if (declared === null) return [];
		const { status } = subscription;
		return { ...declared, ...(isUngranted(status) ? { status } : statusIn(subscription)) };
	});
	const sources = stored.sources.map((source) => {
		const declared = declaredSource(source);
		tellUnreadable(untold, `sources/${source.name}`, declared, ["auth", "settings"]);
		const secret = needsSecret(source) && { secret: refTo(`sources/${source.name}`, ["secret"]) };
		return { ...declared, ...secret, ...statusIn(source) };
	});
	const endpoints = stored.endpoints.map((endpoint) => {
		const owner = `endpoints/${endpoint.name}@${endpoint.version}`;
		const declared = declaredEndpoint(endpoint);
		tellUnreadable(untold, owner, declared, ["auth", "headers", "completion"]);
		const hidden = secretPaths(declared).reduce(
			(entry, path) => withValueAt(entry, path, refTo(owner, path)),
			declared,
		);
		return { ...hidden, signing_secret: refTo(owner, ["signing_secret"]), ...statusIn(endpoint) };
	});
	return { document: { sources, endpoints, subscriptions }, untold };
}

function refTo(owner: string, path: readonly string[]): { secret_ref: string } {
	return { secret_ref: secretKey(owner, path) };
}

/**
 * Apart from requests, only a pause is exported: a document that says active would undo a pause whenever it is applied.
 */
function statusIn({ status }: { status: string }): { status?: "paused" } {
	return status === "active" ? {} : { status: "paused" };
}

function tellUnreadable(
	untold: FieldError[],
	path: string,
	declared: Record<string, unknown>,
	fields: readonly string[],
): void {
	const missing = fields.filter((field) => declared[field] === undefined);
	if (missing.length > 0) untold.push({ path, message: `cannot be read: ${missing.join(", ")}` });
}
