/** Endpoints in D1: queries. */
import type { Env } from "../../env.ts";
import { rememberDeletion } from "../deleted.ts";
import type { Endpoint, EndpointStatus, ReadableEndpoint } from "../records.ts";
import {
	type Deletion,
	type ListQuery,
	type ReadAs,
	type Update,
	bumpRoutingVersion,
	hasChanged,
	insertRow,
	listRows,
	updateRow,
} from "../rows.ts";
import { withSchema } from "../schema.ts";
import {
	type EndpointChanges,
	type EndpointRow,
	endpointFromRow,
	endpointToColumns,
	endpointToRow,
} from "./endpoint-row.ts";

/** A reference to an endpoint, as in a subscription's target. */
export type EndpointRef = { id: string } | { name: string; version: string } | { latestOf: string };

/** Parses `ep_…`, `name@version`, `name@latest`, or `name`, which means the latest. */
export function parseEndpointRef(ref: string): EndpointRef {
	if (ref.startsWith("ep_")) return { id: ref };
	const at = ref.indexOf("@");
	if (at === -1) return { latestOf: ref };
	const name = ref.slice(0, at);
	const version = ref.slice(at + 1);
	return version === "latest" ? { latestOf: name } : { name, version };
}

/** Finds an endpoint by any reference. The latest is the newest active version, or the newest if none is active. */
export async function findEndpoint(env: Env, ref: string): Promise<Endpoint | null> {
	const parsed = parseEndpointRef(ref);
	const row = await withSchema(env, (db) => selectOne(db, parsed).first<EndpointRow>());
	return row === null ? null : endpointFromRow(env, row);
}

function selectOne(db: D1Database, ref: EndpointRef): D1PreparedStatement {
	if ("id" in ref) return db.prepare("SELECT * FROM endpoints WHERE id = ?").bind(ref.id);
	if ("latestOf" in ref) {
		const sql = `SELECT * FROM endpoints WHERE name = ?
			ORDER BY status = 'active' DESC, created_at DESC, id DESC LIMIT 1`;
		return db.prepare(sql).bind(ref.latestOf);
	}
	return db.prepare("SELECT * FROM endpoints WHERE name = ? AND version = ?").bind(ref.name, ref.version);
}

export async function listEndpoints(env: Env, query: ListQuery): Promise<Endpoint[]> {
	const rows = await listRows<EndpointRow>(env, "endpoints", query);
	return Promise.all(rows.map((row) => endpointFromRow(env, row)));
}

/** Returns the ids of all versions of `name`. */
export async function readEndpointIds(env: Env, name: string): Promise<string[]> {
	const { results } = await withSchema(env, (db) =>
		db.prepare("SELECT id FROM endpoints WHERE name = ?").bind(name).all<{ id: string }>(),
	);
	return results.map(({ id }) => id);
}

/** Returns `name@version` by id, for the ids that exist. */
export async function readEndpointRefs(env: Env, ids: readonly string[]): Promise<Map<string, string>> {
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(
				"SELECT id, name || '@' || version AS ref FROM endpoints WHERE id IN (SELECT value FROM json_each(?))",
			)
			.bind(JSON.stringify(ids))
			.all<{ id: string; ref: string }>(),
	);
	return new Map(results.map(({ id, ref }) => [id, ref]));
}

/** Returns false if this version of the name already exists. */
export async function insertEndpoint(env: Env, endpoint: ReadableEndpoint): Promise<boolean> {
	return (await insertRow(env, "endpoints", await endpointToRow(env, endpoint))) === "inserted";
}

export async function updateEndpoint(
	env: Env,
	former: ReadAs,
	changes: EndpointChanges,
): Promise<Update<Endpoint>> {
	const update = await updateRow<EndpointRow>(
		env,
		"endpoints",
		former,
		await endpointToColumns(env, changes),
	);
	return update.outcome === "updated"
		? { ...update, record: await endpointFromRow(env, update.record) }
		: update;
}

/**
 * Pauses or disables the endpoint, with a reason. Returns false and writes nothing if it has changed since it was read
 * or is deleted: the change may have fixed the problem.
 */
export async function stopEndpoint(
	env: Env,
	former: ReadAs,
	status: Exclude<EndpointStatus, "active">,
	reason: string,
): Promise<boolean> {
	const update = await updateEndpoint(env, former, { status, statusReason: reason });
	return update.outcome === "updated";
}

/**
 * Deletes the endpoint unless it has changed since it was read, or subscriptions target it: by id, or as the latest if
 * it is the only version.
 */
export async function deleteEndpoint(env: Env, id: string, asRead: ReadAs | null = null): Promise<Deletion> {
	const using = `FROM subscriptions WHERE endpoint_id = ?1 OR latest_of = (
		SELECT name FROM endpoints AS last WHERE id = ?1 AND NOT EXISTS
			(SELECT 1 FROM endpoints AS other WHERE other.name = last.name AND other.id <> last.id))`;
	const changed = hasChanged("endpoints", asRead);
	const stays = `EXISTS (SELECT 1 ${using}) OR ${changed}`;
	const [users, found] = await withSchema(env, (db) =>
		db.batch<{ name: string }>([
			db.prepare(`SELECT name ${using} ORDER BY name`).bind(id),
			db.prepare(`SELECT 1 WHERE ${changed}`).bind(...(changed === "FALSE" ? [] : [id])),
			...rememberDeletion(db, id, stays),
			db.prepare(`DELETE FROM endpoints WHERE id = ?1 AND NOT (${stays})`).bind(id),
			bumpRoutingVersion(db),
		]),
	);
	return {
		usedBy: users?.results.map(({ name }) => name) ?? [],
		isChanged: (found?.results.length ?? 0) > 0,
	};
}
