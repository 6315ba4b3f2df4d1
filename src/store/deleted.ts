/**
 * Ids of deleted rows. A row that is neither in its table nor here is lost: the database was restored to an earlier
 * time, emptied or replaced. Deliveries that depend on a lost row wait for it instead of ending.
 */
import type { Env } from "../env.ts";
import { withSchema } from "./schema.ts";

/** By then every delivery that depends on the row has ended. */
const REMEMBERED_MS = 365 * 86_400_000;

/**
 * Returns the statements to add to the batch of every deletion. `unless`: a condition under which nothing is deleted;
 * its parameter ?1 is the id. The row itself may already be lost.
 */
export function rememberDeletion(db: D1Database, id: string, unless = "FALSE"): D1PreparedStatement[] {
	const now = Date.now();
	return [
		db
			.prepare(`INSERT OR IGNORE INTO deleted (id, deleted_at) SELECT ?1, ?2 WHERE NOT (${unless})`)
			.bind(id, now),
		db.prepare("DELETE FROM deleted WHERE deleted_at < ?").bind(now - REMEMBERED_MS),
	];
}

export async function isDeleted(env: Env, id: string): Promise<boolean> {
	const row = await withSchema(env, (db) =>
		db.prepare("SELECT 1 FROM deleted WHERE id = ?").bind(id).first(),
	);
	return row !== null;
}
