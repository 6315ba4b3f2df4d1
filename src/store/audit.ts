/** The audit log in D1: who has changed what, newest first, of bounded length. Nothing in it is ever changed. */
import * as z from "zod";
import type { Env } from "../env.ts";
import { readColumn } from "./columns.ts";
import { type Condition, type ListQuery, type Row, listRows } from "./rows.ts";
import { withSchema } from "./schema.ts";

export interface AuditEntry {
	/** `aud_…` */
	id: string;
	createdAt: number;
	/** `key_…`, or `root`. */
	actorId: string;
	/** The key's name at that time, or `root`. */
	actor: string;
	action: string;
	/** The word for its kind: `source`, `endpoint` … */
	resource: string;
	resourceId: string;
	/** An endpoint's with its version. null: nobody knew it any more. */
	name: string | null;
	/** As the API showed it, without secrets; null where there was nothing before, or is nothing after. */
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

/** Kept at the most; some more until the next sweep. */
const MAX_ENTRIES = 10_000;
const MAX_AGE_MS = 400 * 86_400_000;
/** Of one side of an entry, in UTF-16 units. */
const MAX_SIDE_LENGTH = 32_768;

export async function insertAudit(env: Env, entry: AuditEntry): Promise<void> {
	const row: AuditRow = {
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
	const columns = Object.keys(row);
	await withSchema(env, (db) =>
		db
			.prepare(`INSERT INTO audit (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`)
			.bind(...Object.values(row))
			.run(),
	);
}

/** Deletes what is older than 400 days and all but the newest entries. `now` in ms; `keep`: how many of them. */
export async function sweepAudit(env: Env, now: number, keep = MAX_ENTRIES): Promise<void> {
	await withSchema(env, (db) =>
		db
			.prepare(
				`DELETE FROM audit WHERE created_at < ?1 OR (created_at, id) <=
					(SELECT created_at, id FROM audit ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?2)`,
			)
			.bind(now - MAX_AGE_MS, keep)
			.run(),
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

/** What is too long for a log is left out and says so. */
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
