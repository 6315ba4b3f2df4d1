/**
 * Endpoints and sources as owners of Durable Objects: in which order a list asks them. Which of them were active last D1
 * does not know, since events write nothing to it; it knows which ones events can come to.
 */
import type { Env } from "../env.ts";
import type { ListPosition, ListQuery } from "./rows.ts";
import { withSchema } from "./schema.ts";

export type OwnerTable = "endpoints" | "sources";

/** When a row was made, ms since the epoch, and its id. */
interface Place {
	at: number;
	id: string;
}

/** Twice what is asked for: a row that is made now by a slow clock may come in between. */
const MAX_BETWEEN = 100;

/** By age, newest first, which no change of a row moves: up to `limit` behind a place (null: from the newest on). */
export async function readBehind(
	env: Env,
	table: OwnerTable,
	{ after, except, limit }: ListQuery & { except: readonly string[] },
): Promise<ListPosition[]> {
	const { createdAt, id } = after ?? { createdAt: Number.MAX_SAFE_INTEGER, id: "" };
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(
				`SELECT created_at AS createdAt, id FROM ${table}
				WHERE (created_at, id) < (?, ?) AND id NOT IN (SELECT value FROM json_each(?))
				ORDER BY created_at DESC, id DESC LIMIT ?`,
			)
			.bind(createdAt, id, JSON.stringify(except), limit)
			.all<{ createdAt: number; id: string }>(),
	);
	return results;
}

/** In the same order, the ids from one place to another, both included. */
export async function readBetween(
	env: Env,
	table: OwnerTable,
	{ first, last, except }: { first: Place; last: Place; except: readonly string[] },
): Promise<string[]> {
	return readIds(
		env,
		`SELECT id FROM ${table} WHERE (created_at, id) <= (?, ?) AND (created_at, id) >= (?, ?)
			AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY created_at DESC, id DESC LIMIT ${MAX_BETWEEN}`,
		first.at,
		first.id,
		last.at,
		last.id,
		JSON.stringify(except),
	);
}

/** Those of `ids` that exist. */
export async function readExisting(env: Env, table: OwnerTable, ids: readonly string[]): Promise<string[]> {
	return readIds(
		env,
		`SELECT id FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`,
		JSON.stringify(ids),
	);
}

/** Those of `subscriptionId` first, then those that a subscription sends events to, those changed last first. */
export async function readLikelyEndpoints(
	env: Env,
	limit: number,
	subscriptionId: string | null,
): Promise<string[]> {
	return readIds(
		env,
		`SELECT id FROM endpoints AS endpoint ORDER BY
			EXISTS (SELECT 1 FROM subscriptions
				WHERE id = ? AND (endpoint_id = endpoint.id OR latest_of = endpoint.name)) DESC,
			(EXISTS (SELECT 1 FROM subscriptions WHERE endpoint_id = endpoint.id AND enabled)
				OR EXISTS (SELECT 1 FROM subscriptions WHERE latest_of = endpoint.name AND enabled)) DESC,
			updated_at DESC, id LIMIT ?`,
		subscriptionId,
		limit,
	);
}

/** The active ones first, of these the ones with a subscription of their own, those changed last first. */
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
