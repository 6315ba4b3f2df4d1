/** How often a source is expected to send events, for its watch. */
import type { Env } from "../../env.ts";
import { announcingFrom, SELECT_ANNOUNCING } from "./announcing.ts";
import type { Status } from "../records.ts";
import { withSchema } from "../schema.ts";
import { fromStoredStatus } from "../resources/source-row.ts";

export interface Expectation {
	name: string;
	status: Status;
	/** null: no expectation. */
	expectEverySeconds: number | null;
	/** When the source was last changed, ms since the epoch. */
	changedAt: number;
	/** Whether any subscription receives operational events. */
	isAnnouncing: boolean;
}

interface ExpectationRow {
	name: string;
	status: string;
	expect_every_seconds: number | null;
	updated_at: number;
}

/** Returns null if the source does not exist. Throws if D1 fails. */
export async function readExpectation(env: Env, sourceId: string): Promise<Expectation | null> {
	const [sources, announcing] = await withSchema(env, (db) =>
		db.batch([
			db
				.prepare("SELECT name, status, expect_every_seconds, updated_at FROM sources WHERE id = ?")
				.bind(sourceId),
			db.prepare(SELECT_ANNOUNCING),
		]),
	);
	const row = sources?.results[0] as ExpectationRow | undefined;
	return row === undefined
		? null
		: {
				name: row.name,
				status: fromStoredStatus(row.status),
				expectEverySeconds: row.expect_every_seconds,
				changedAt: row.updated_at,
				isAnnouncing: announcingFrom(announcing?.results),
			};
}
