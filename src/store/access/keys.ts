/**
 * API keys in D1. Only the SHA-256 of a key is stored, from which its 32 random bytes cannot be recovered. All keys are
 * read at once, so that a flood of invalid keys does not cost a query each; therefore their number is bounded.
 */
import * as z from "zod";
import type { Env } from "../../env.ts";
import { readColumn } from "../columns.ts";
import { type ListQuery, type Row, listRows, unlessTaken } from "../rows.ts";
import { withSchema } from "../schema.ts";

export const ROLES = ["admin", "publisher", "subscriber", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** Each isolate keeps all keys in memory: about 300 bytes each, or 10 kB with the maximum number of names. */
export const MAX_KEYS = 1_000;

/** The names that a key covers: exact names, or prefixes that end with `*`; `*` alone matches every name. */
export interface Scope {
	sources: readonly string[];
	/** Names without versions. */
	endpoints: readonly string[];
	subscriptions: readonly string[];
}

export interface ApiKey {
	/** `key_…`. The part after the `_` is contained in the key itself. */
	id: string;
	name: string;
	/** null: a role that only a newer release knows. Such a key has no rights. */
	role: Role | null;
	scope: Scope;
	/** SHA-256 of the key, hex. */
	hash: string;
	/** ms since the epoch, like the other times. null: never. */
	expiresAt: number | null;
	/** Up to ten minutes old. null: never. */
	lastUsedAt: number | null;
	createdAt: number;
}

interface KeyRow extends Row {
	id: string;
	name: string;
	role: string;
	scope: string;
	hash: string;
	expires_at: number | null;
	last_used_at: number | null;
	created_at: number;
}

export const NO_SCOPE: Scope = { sources: [], endpoints: [], subscriptions: [] };

const names = z.array(z.string()).readonly().default([]);
const scopeSchema: z.ZodType<Scope> = z.object({ sources: names, endpoints: names, subscriptions: names });

/** Finds a key by `key_…` or by name. A name never begins with `key_`. */
export async function findKey(env: Env, ref: string): Promise<ApiKey | null> {
	const row = await withSchema(env, (db) =>
		db.prepare("SELECT * FROM api_keys WHERE id = ?1 OR name = ?1").bind(ref).first<KeyRow>(),
	);
	return row === null ? null : fromRow(row);
}

export async function listKeys(env: Env, query: ListQuery): Promise<ApiKey[]> {
	return (await listRows<KeyRow>(env, "api_keys", query)).map(fromRow);
}

export async function readAllKeys(env: Env): Promise<ApiKey[]> {
	const { results } = await withSchema(env, (db) =>
		db.prepare(`SELECT * FROM api_keys LIMIT ${MAX_KEYS}`).all<KeyRow>(),
	);
	return results.map(fromRow);
}

/** Inserts a key. full: there are already `MAX_KEYS`. */
export async function insertKey(env: Env, key: ApiKey): Promise<"inserted" | "name_taken" | "full"> {
	const { id, name, role, scope, hash, expiresAt, createdAt } = key;
	const inserted = await unlessTaken(
		withSchema(env, (db) =>
			db
				.prepare(
					`INSERT INTO api_keys (id, name, role, scope, hash, expires_at, created_at)
					SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM api_keys) < ${MAX_KEYS} RETURNING id`,
				)
				.bind(id, name, role, JSON.stringify(scope), hash, expiresAt, createdAt)
				.all(),
		),
	);
	if (inserted === "name_taken") return inserted;
	return inserted.results.length === 1 ? "inserted" : "full";
}

export async function deleteKey(env: Env, id: string): Promise<void> {
	await withSchema(env, (db) => db.prepare("DELETE FROM api_keys WHERE id = ?").bind(id).run());
}

/** Notes a use of the key at `now` (ms). Writes nothing if the last noted use is less than `everyMs` ago. */
export async function noteKeyUse(env: Env, id: string, now: number, everyMs: number): Promise<void> {
	await withSchema(env, (db) =>
		db
			.prepare(
				"UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)",
			)
			.bind(id, now, now - everyMs)
			.run(),
	);
}

function fromRow(row: KeyRow): ApiKey {
	return {
		id: row.id,
		name: row.name,
		role: ROLES.find((known) => known === row.role) ?? null,
		// An unreadable scope covers nothing.
		scope: readColumn(scopeSchema, row.scope) ?? NO_SCOPE,
		hash: row.hash,
		expiresAt: row.expires_at,
		lastUsedAt: row.last_used_at,
		createdAt: row.created_at,
	};
}
