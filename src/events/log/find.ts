/** Finds an event by its id, which identifies its log. */
import type { Env } from "../../env.ts";
import { eventLog } from "../../objects/clients.ts";
import { logIdOf, sourceIdOfLog } from "../ids.ts";
import type { LogEntry } from "./entry.ts";

/** Returns null if the event does not exist (any more) or the id is invalid. One call; two for unknown results. */
export async function findEvent(env: Env, id: string): Promise<LogEntry | null> {
	const logId = logIdOf(id);
	if (logId === null) return null;
	const entry = await eventLog(env, logId).get(id);
	const sourceId = sourceIdOfLog(logId);
	if (entry !== null || sourceId === logId) return entry;
	// A router of release 0.1, during a deploy or after a rollback, keeps all results in one log, regardless of their
	// ids.
	return eventLog(env, sourceId).get(id);
}
