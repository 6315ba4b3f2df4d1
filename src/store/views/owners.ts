/**
 * Endpoints and sources as owners of Durable Objects: the order in which a list queries them. D1 does not know which
 * were active last, because events write nothing to it, but it knows which ones can receive events.
 */
import type { Env } from "../../env.ts";
import { type Condition, type ListPosition, type ListQuery, matchesOneOf } from "../rows.ts";
import { withSchema } from "../schema.ts";

export type OwnerTable = "endpoints" | "sources";

/** A row's creation time, ms since the epoch, and its id. */
interface Place {
	at: number;
	id: string;
}

/** Patterns of names; null: all. */
export type Names = readonly string[] | null;

function haveNames(names: Names): Condition {
	return names === null ? { sql: "TRUE", bound: [] } : matchesOneOf("name", names);
}

/** Twice the requested number: a row created by an isolate with a slow clock may appear in between. */
const MAX_BETWEEN = 100;

/**
 * Returns up to `limit` ids after a place (null: from the newest), by creation time, newest first. Stable under
 * changes.
 */
export async function readBehind(
	env: Env,
	table: OwnerTable,
	{ after, except, limit, names = null }: ListQuery & { except: readonly string[]; names?: Names },
): Promise<ListPosition[]> {
	const own = haveNames(names);
	const { createdAt, id } = after ?? { createdAt: Number.MAX_SAFE_INTEGER, id: "" };
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(
				`SELECT created_at AS createdAt, id FROM ${table}
				WHERE (created_at, id) < (?, ?) AND id NOT IN (SELECT value FROM json_each(?))
					AND ${own.sql}
				ORDER BY created_at DESC, id DESC LIMIT ?`,
			)
			.bind(createdAt, id, JSON.stringify(except), ...own.bound, limit)
			.all<{ createdAt: number; id: string }>(),
	);
	return results;
}

/** Returns the ids from one place to another, both inclusive, in the same order. */
export async function readBetween(
	env: Env,
	table: OwnerTable,
	{
		first,
		last,
		except,
		names = null,
	}: { first: Place; last: Place; except: readonly string[]; names?: Names },
): Promise<string[]> {
	const own = haveNames(names);
	return readIds(
		env,
		`SELECT id FROM ${table} WHERE (created_at, id) <= (?, ?) AND (created_at, id) >= (?, ?)
			AND id NOT IN (SELECT value FROM json_each(?)) AND ${own.sql}
			ORDER BY created_at DESC, id DESC LIMIT ${MAX_BETWEEN}`,
		first.at,
		first.id,
		last.at,
		last.id,
		JSON.stringify(except),
		...own.bound,
	);
}

/** Returns those of `ids` that exist. */
export async function readExisting(
	env: Env,
	table: OwnerTable,
	ids: readonly string[],
	names: Names = null,
): Promise<string[]> {
	const own = haveNames(names);
	return readIds(
		env,
		`SELECT id FROM ${table} WHERE id IN (SELECT value FROM json_each(?)) AND ${own.sql}`,
		JSON.stringify(ids),
		...own.bound,
	);
}

/** Returns the endpoint of `subscriptionId` first, then the targets of subscriptions, most recently changed first. */
export async function readLikelyEndpoints(
	env: Env,
	limit: number,
	subscriptionId: string | null,
	names: Names = null,
): Promise<string[]> {
	const own = haveNames(names);
	return readIds(
		env,
		`SELECT id FROM endpoints AS endpoint WHERE ${own.sql} ORDER BY
			EXISTS (SELECT 1 FROM subscriptions
				WHERE id = ? AND (endpoint_id = endpoint.id OR latest_of = endpoint.name)) DESC,
			(EXISTS (SELECT 1 FROM subscriptions WHERE endpoint_id = endpoint.id AND enabled)
				OR EXISTS (SELECT 1 FROM subscriptions WHERE latest_of = endpoint.name AND enabled)) DESC,
			updated_at DESC, id LIMIT ?`,
		...own.bound,
		subscriptionId,
		limit,
	);
}

/** Returns active sources first, among them those with their own subscription, most recently changed first. */
export async function readLikelySources(env: Env, limit: number): Promise<string[]> {
	return readIds(
		env,
		`SELECT id FROM sources AS source ORDER BY status = 'active' DESC,
			EXISTS (SELECT 1 FROM subscriptions WHERE source_id = source.id AND enabled) DESC,
			updated_at DESC, id LIMIT ?`,
		limit,
	);
}

async function readIds(env: Env, sql: string, ...bound: (string | number | null)[]): Promise<string[]> {
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(sql)
			.bind(...bound)
			.all<{ id: string }>(),
	);
	return results.map(({ id }) => id);
}
