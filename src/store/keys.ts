/**
 * API keys in D1. A key itself is nowhere: its SHA-256 is, from which 32 random bytes cannot be found again. All keys are
 * read at once, so that a flood of made-up keys costs no query each; that is why their number is bounded.
 */
import * as z from "zod";
import type { Env } from "../env.ts";
import { readColumn } from "./columns.ts";
import { type ListQuery, type Row, listRows, unlessTaken } from "./rows.ts";
import { withSchema } from "./schema.ts";

export const ROLES = ["admin", "publisher", "subscriber", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** An isolate keeps all of them in memory: some 300 bytes each, 10 kB with as many names as there can be. */
export const MAX_KEYS = 1_000;

/** The names a key is for: exact, or the beginning of a name with `*` behind it; `*` alone is every name. */
export interface Scope {
	sources: readonly string[];
	/** Without their versions. */
	endpoints: readonly string[];
	subscriptions: readonly string[];
}

export interface ApiKey {
	/** `key_…`; what follows the `_` stands in the key itself. */
	id: string;
	name: string;
	/** null: one that only a newer release knows; such a key may do nothing. */
	role: Role | null;
	scope: Scope;
	/** SHA-256 of the key, hex. */
	hash: string;
	/** ms since the epoch, as the others; null: never. */
	expiresAt: number | null;
	/** Up to ten minutes old; null: never. */
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

/** By `key_…` or by name; a name never begins with `key_`. */
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

/** full: there are `MAX_KEYS` already. */
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

/** The key was used at `now` (ms). Writes nothing when D1 knows of a use less than `everyMs` before that. */
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
		// A scope that cannot be read covers nothing.
		scope: readColumn(scopeSchema, row.scope) ?? NO_SCOPE,
		hash: row.hash,
		expiresAt: row.expires_at,
		lastUsedAt: row.last_used_at,
		createdAt: row.created_at,
	};
}
