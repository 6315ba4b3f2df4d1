/** Whether any subscription receives operational events. If none does, no operational events are created. */
import type { Env } from "../../env.ts";
import { SLUICE_SOURCE_ID } from "../../events/ids.ts";
import { withSchema } from "../schema.ts";

/** Returns one row, `found`: whether an active subscription names their source. */
export const SELECT_ANNOUNCING = `SELECT EXISTS (
	SELECT 1 FROM subscriptions WHERE source_id = '${SLUICE_SOURCE_ID}' AND enabled = 1) AS found`;

/** Reads the results of `SELECT_ANNOUNCING`. */
export function announcingFrom(results: readonly unknown[] | undefined): boolean {
	return (results as { found: number }[] | undefined)?.[0]?.found === 1;
}

/** Throws when D1 fails. */
export async function isAnnouncing(env: Env): Promise<boolean> {
	const { results } = await withSchema(env, (db) => db.prepare(SELECT_ANNOUNCING).all());
	return announcingFrom(results);
}
