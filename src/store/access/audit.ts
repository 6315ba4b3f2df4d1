/** The audit log in D1: who changed what, newest first. Bounded in length; entries never change. */
import * as z from "zod";
import type { Env } from "../../env.ts";
import { chunksOfRows, insertRows } from "../bulk.ts";
import { readColumn } from "../columns.ts";
import { type Condition, type ListQuery, type Row, listRows } from "../rows.ts";
import { withSchema } from "../schema.ts";

export interface AuditEntry {
	/** `aud_…` */
	id: string;
	createdAt: number;
	/** `key_…`, or `root`. */
	actorId: string;
	/** The key's name at that time, or `root`. */
	actor: string;
	action: string;
	/** The resource type: `source`, `endpoint` … */
	resource: string;
	resourceId: string;
	/** For an endpoint with its version. null: unknown. */
	name: string | null;
	/** As the API showed it, without secrets. null: the resource did not exist before, or does not exist after. */
	before: Record<string, unknown> | null;
	after: Record<string, unknown> | null;
	requestId: string | null;
}

interface AuditRow extends Row {
	id: string;
	created_at: number;
	actor_id: string;
	actor: string;
	action: string;
	resource: string;
	resource_id: string;
	name: string | null;
	before: string | null;
	after: string | null;
	request_id: string | null;
}

/**
 * The maximum numbers of entries, exceeded only until the next sweep. The limit for one actor comes first, so that a
 * key that changes something all the time does not push out the entries of other actors.
 */
const MAX_ENTRIES = { ofActor: 10_000, inAll: 100_000 };
const MAX_AGE_MS = 400 * 86_400_000;
/** The maximum length of one side of an entry, in UTF-16 units. */
const MAX_SIDE_LENGTH = 32_768;

/** Inserts the entries atomically, in as few statements as their sizes allow. */
export async function insertAudits(env: Env, entries: readonly AuditEntry[]): Promise<void> {
	const chunks = chunksOfRows(entries.map(toRow));
	await withSchema(env, (db) => db.batch(chunks.map((rows) => insertRows(db, "audit", rows))));
}

function toRow(entry: AuditEntry): AuditRow {
	return {
		id: entry.id,
		created_at: entry.createdAt,
		actor_id: entry.actorId,
		actor: entry.actor,
		action: entry.action,
		resource: entry.resource,
		resource_id: entry.resourceId,
		name: entry.name,
		before: sideToColumn(entry.before),
		after: sideToColumn(entry.after),
		request_id: entry.requestId,
	};
}

/**
 * Deletes entries older than 400 days, and the oldest ones above the limits for this actor and for all actors. `now`
 * in ms.
 */
export async function sweepAudit(env: Env, actorId: string, now: number, keep = MAX_ENTRIES): Promise<void> {
	await withSchema(env, (db) =>
		db.batch([
			db
				.prepare(
					`DELETE FROM audit WHERE actor_id = ?1 AND (created_at, id) <=
						(SELECT created_at, id FROM audit WHERE actor_id = ?1
						ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?2)`,
				)
				.bind(actorId, keep.ofActor),
			db
				.prepare(
					`DELETE FROM audit WHERE created_at < ?1 OR (created_at, id) <=
						(SELECT created_at, id FROM audit ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?2)`,
				)
				.bind(now - MAX_AGE_MS, keep.inAll),
		]),
	);
}

export interface AuditFilters {
	/** A kind (`source`) or an id (`src_…`). */
	resource?: string;
	/** The id of a key, its name at that time, or `root`. */
	actor?: string;
	/** ms since the epoch; `since` is inclusive, `until` is not. */
	since?: number;
	until?: number;
}

export async function listAudit(
	env: Env,
	{ resource, actor, since, until }: AuditFilters,
	page: ListQuery,
): Promise<AuditEntry[]> {
	const where: Condition[] = [
		...(resource === undefined ? [] : [eitherIs("resource", "resource_id", resource)]),
		...(actor === undefined ? [] : [eitherIs("actor_id", "actor", actor)]),
		...(since === undefined ? [] : [{ sql: "created_at >= ?", bound: [since] }]),
		...(until === undefined ? [] : [{ sql: "created_at < ?", bound: [until] }]),
	];
	return (await listRows<AuditRow>(env, "audit", { ...page, where })).map(fromRow);
}

function eitherIs(one: keyof AuditRow, other: keyof AuditRow, text: string): Condition {
	return { sql: `(${one} = ? OR ${other} = ?)`, bound: [text, text] };
}

/** Replaces a side that is too long by a marker. */
function sideToColumn(side: AuditEntry["before"]): string | null {
	if (side === null) return null;
	const text = JSON.stringify(side);
	return text.length <= MAX_SIDE_LENGTH ? text : JSON.stringify({ id: side["id"], omitted: "too_large" });
}

const sideSchema = z.record(z.string(), z.unknown());

function fromRow(row: AuditRow): AuditEntry {
	return {
		id: row.id,
		createdAt: row.created_at,
		actorId: row.actor_id,
		actor: row.actor,
		action: row.action,
		resource: row.resource,
		resourceId: row.resource_id,
		name: row.name,
		before: row.before === null ? null : readColumn(sideSchema, row.before),
		after: row.after === null ? null : readColumn(sideSchema, row.after),
		requestId: row.request_id,
	};
}
