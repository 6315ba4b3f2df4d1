/**
 * The whole configuration, read and written in one transaction each: a write applies completely if nothing has changed
 * since the read, or else not at all.
 */
import type { Env } from "../../env.ts";
import { chunksOfRows, insertRows, updateRows } from "../bulk.ts";
import {
	type EndpointChanges,
	type EndpointRow,
	endpointFromRow,
	endpointToColumns,
	endpointToRow,
} from "./endpoint-row.ts";
import type { Endpoint, ReadableEndpoint, ReadableSource, Source, Subscription } from "../records.ts";
import { type Row, type Table, unlessTaken } from "../rows.ts";
import { withSchema } from "../schema.ts";
import {
	type SourceChanges,
	type SourceRow,
	sourceFromRow,
	sourceToColumns,
	sourceToRow,
} from "./source-row.ts";
import {
	type SubscriptionChanges,
	type SubscriptionRow,
	subscriptionFromRow,
	subscriptionToColumns,
	subscriptionToRow,
} from "./subscriptions.ts";

export interface Configuration {
	/** Increases with every change of the fields below. */
	version: number;
	/** In order of creation, like the other lists. */
	sources: Source[];
	endpoints: Endpoint[];
	subscriptions: Subscription[];
}

/** Returns null if there are more than `limit` sources, endpoints and subscriptions in total. Throws if D1 fails. */
export async function readConfiguration(env: Env, limit: number): Promise<Configuration | null> {
	const select = (db: D1Database, table: Table) =>
		db.prepare(`SELECT * FROM ${table} ORDER BY created_at, id LIMIT ?`).bind(limit + 1);
	const [meta, sources, endpoints, subscriptions] = await withSchema(env, (db) =>
		db.batch([
			db.prepare("SELECT value FROM meta WHERE key = 'routing_version'"),
			select(db, "sources"),
			select(db, "endpoints"),
			select(db, "subscriptions"),
		]),
	);
	const rows = {
		sources: (sources?.results ?? []) as SourceRow[],
		endpoints: (endpoints?.results ?? []) as EndpointRow[],
		subscriptions: (subscriptions?.results ?? []) as SubscriptionRow[],
	};
	if (rows.sources.length + rows.endpoints.length + rows.subscriptions.length > limit) return null;
	const [version] = (meta?.results ?? []) as { value: number }[];
	return {
		version: version?.value ?? 0,
		sources: await Promise.all(rows.sources.map((row) => sourceFromRow(env, row))),
		endpoints: await Promise.all(rows.endpoints.map((row) => endpointFromRow(env, row))),
		subscriptions: rows.subscriptions.map(subscriptionFromRow),
	};
}

/** The writes for one type of resource. */
export interface Writes<Record, Changes> {
	created: readonly Record[];
	changed: readonly { id: string; changes: Changes }[];
	/** Ids. */
	deleted: readonly string[];
}

export interface ConfigurationWrites {
	sources: Writes<ReadableSource, SourceChanges>;
	endpoints: Writes<ReadableEndpoint, EndpointChanges>;
	subscriptions: Writes<Subscription, SubscriptionChanges>;
}

/**
 * Returns whether the change was written: false if the version is no longer `version`. `now` in ms. Throws if D1 fails.
 */
export async function writeConfiguration(
	env: Env,
	version: number,
	{ sources, endpoints, subscriptions }: ConfigurationWrites,
	now: number,
): Promise<boolean> {
	const tables: [table: Table, created: Row[], changed: Row[], deleted: readonly string[]][] = [
		[
			"sources",
			await Promise.all(sources.created.map((source) => sourceToRow(env, source))),
			await changedRows(sources.changed, (changes) => sourceToColumns(env, changes)),
			sources.deleted,
		],
		[
			"endpoints",
			await Promise.all(endpoints.created.map((endpoint) => endpointToRow(env, endpoint))),
			await changedRows(endpoints.changed, (changes) => endpointToColumns(env, changes)),
			endpoints.deleted,
		],
		[
			"subscriptions",
			subscriptions.created.map(subscriptionToRow),
			await changedRows(subscriptions.changed, subscriptionToColumns),
			subscriptions.deleted,
		],
	];
	// The statements run in one transaction, and only the last one increases the version.
	const when = {
		sql: "(SELECT value FROM meta WHERE key = 'routing_version') = ?",
		bound: [version],
	};
	const written = await unlessTaken(
		withSchema(env, (db) =>
			db.batch<{ value: number }>([
				...tables.flatMap(([table, created, changes, deleted]) => [
					...deleteRows(db, table, deleted, { now, when }),
					...chunksOfRows(changes).map((rows) => updateRows(db, table, rows, { now, when })),
					...chunksOfRows(created).map((rows) => insertRows(db, table, rows, when)),
				]),
				db
					.prepare(
						`UPDATE meta SET value = max(value + 1, ?) WHERE key = 'routing_version' AND value = ?
						RETURNING value`,
					)
					.bind(now, version),
			]),
		),
	);
	return written !== "name_taken" && written.at(-1)?.results.length === 1;
}

async function changedRows<C>(
	list: readonly { id: string; changes: C }[],
	toColumns: (changes: C) => Row | Promise<Row>,
): Promise<Row[]> {
	return Promise.all(list.map(async ({ id, changes }) => ({ id, ...(await toColumns(changes)) })));
}

function deleteRows(
	db: D1Database,
	table: Table,
	ids: readonly string[],
	{ now, when }: { now: number; when: { sql: string; bound: readonly number[] } },
): D1PreparedStatement[] {
	if (ids.length === 0) return [];
	const list = JSON.stringify(ids);
	return [
		db
			.prepare(
				`INSERT OR IGNORE INTO deleted (id, deleted_at) SELECT value, ? FROM json_each(?) WHERE ${when.sql}`,
			)
			.bind(now, list, ...when.bound),
		db
			.prepare(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?)) AND ${when.sql}`)
			.bind(list, ...when.bound),
	];
}
