/** Appends events to the event log of a source. The only entry point for the router. */
import type { Env } from "../../env.ts";
import { eventLog } from "../../objects/clients.ts";
import type { KnownEntry, NewEntry } from "./entry.ts";

/**
 * Appends events with their decisions to the log `logId`. Returns for each entry null if it is new, else the decisions
 * made when it first arrived. The list may be shorter than `entries` but never empty: the rest must be passed again.
 * Throws if the log fails.
 */
export async function appendSome(
	env: Env,
	logId: string,
	entries: NewEntry[],
): Promise<(KnownEntry | null)[]> {
	const known = await eventLog(env, logId).append(entries, true);
	if (known.length === 0) throw new Error(`the event log ${logId} accepted none of the events`);
	// An object that still runs release 0.1 returns only decisions, without the time.
	return known.map((entry) => (Array.isArray(entry) ? { decisions: entry, storedAt: 0 } : entry));
}
