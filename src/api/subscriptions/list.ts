/** The filters of the subscription list. */
import * as z from "zod";
import { BUILTIN_SOURCES } from "../../events/ids.ts";
import { parseEndpointRef } from "../../store/resources/endpoints.ts";
import type { Subscription } from "../../store/records.ts";
import { type Condition, matchesOneOf } from "../../store/rows.ts";
import { namePattern } from "../fields/fields.ts";
import { statusOf } from "../fields/status.ts";
import { pageQuery } from "../http/query.ts";

export const subscriptionListQuery = z.strictObject({
	...pageQuery,
	name: namePattern.optional(),
	source: namePattern
		.optional()
		.describe("The subscription's source: its id, its name, or a prefix of its name followed by *."),
	endpoint: z
		.string()
		.regex(
			/^(?:\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?:\*|@[A-Za-z0-9][A-Za-z0-9._+-]{0,63})?)$/,
			"must be an id, name@version, name@latest, a name, or a prefix followed by *",
		)
		.optional()
		.describe(
			"The subscription's endpoint. ep_… or name@version: this version. name@latest: subscriptions that follow the latest version. A name, or a prefix followed by *: all versions.",
		),
	status: z
		.enum(["active", "paused", "requested", "quarantined"])
		.optional()
		.describe("Only subscriptions with this status."),
});

type Query = z.output<typeof subscriptionListQuery>;

export function subscriptionsMatching({ name, source, endpoint }: Query): Condition[] {
	return [
		...(name === undefined ? [] : [matchesOneOf("name", [name])]),
		...(source === undefined ? [] : [listensTo(source)]),
		...(endpoint === undefined ? [] : [targets(endpoint)]),
	];
}

function listensTo(source: string): Condition {
	const isBuiltin = ([id, name]: [string, string]) =>
		id === source || (source.endsWith("*") ? name.startsWith(source.slice(0, -1)) : name === source);
	const builtin = Object.entries(BUILTIN_SOURCES)
		.filter(isBuiltin)
		.map(([id]) => id);
	return {
		sql: `(source_id IN (SELECT value FROM json_each(?))
			OR source_id IN (SELECT id FROM sources WHERE id = ? OR name GLOB ?))`,
		bound: [JSON.stringify(builtin), source, source],
	};
}

function targets(ref: string): Condition {
	const parsed = parseEndpointRef(ref);
	if ("id" in parsed) return { sql: "endpoint_id = ?", bound: [parsed.id] };
	if ("version" in parsed) {
		return {
			sql: "endpoint_id IN (SELECT id FROM endpoints WHERE name = ? AND version = ?)",
			bound: [parsed.name, parsed.version],
		};
	}
	if (ref.endsWith("@latest")) return { sql: "latest_of = ?", bound: [parsed.latestOf] };
	return {
		sql: "(latest_of GLOB ? OR endpoint_id IN (SELECT id FROM endpoints WHERE name GLOB ?))",
		bound: [ref, ref],
	};
}

/** The shown status depends on more than its column, such as whether all of it can be read. */
export function hasStatus(subscription: Subscription, { status }: Query): boolean {
	return status === undefined || statusOf(subscription).status === status;
}
