/** An event of the logs, for routes that cannot do without it. */
import type { Env } from "../../env.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { findEvent } from "../../events/log/find.ts";
import { Problem } from "../../http/problem.ts";

/** Throws 404 `event_not_found`. */
export async function readEntry(env: Env, id: string): Promise<LogEntry> {
	const entry = await findEvent(env, id);
	if (entry !== null) return entry;
	throw new Problem(
		404,
		"event_not_found",
		"There is no event with this id, or it has been forgotten by now.",
	);
}
