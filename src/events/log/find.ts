/** Finds one event by its id, which names the log that has it. */
import type { Env } from "../../env.ts";
import { eventLog } from "../../objects/clients.ts";
import { logIdOf, sourceIdOfLog } from "../ids.ts";
import type { LogEntry } from "./entry.ts";

/** null when there is none, or none any more, and for what is no event id. One call, two for results that are not found. */
export async function findEvent(env: Env, id: string): Promise<LogEntry | null> {
	const logId = logIdOf(id);
	if (logId === null) return null;
	const entry = await eventLog(env, logId).get(id);
	const sourceId = sourceIdOfLog(logId);
	if (entry !== null || sourceId === logId) return entry;
	// A router of release 0.1, beside this one or after a rollback, keeps all results in one log, whatever their ids say.
	return eventLog(env, sourceId).get(id);
}
