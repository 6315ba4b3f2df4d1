/** Has the event log of a source keep events; the one way in for the router. */
import type { Env } from "../../env.ts";
import { eventLog } from "../../objects/clients.ts";
import type { KnownEntry, NewEntry } from "./entry.ts";

/**
 * Has the log `logId` keep events with their decisions. Returns for each entry null when it was new, else what
 * was decided when it first came. The list may be shorter than `entries`, never empty: the rest is to be handed in
 * again. Throws when the log fails.
 */
export async function appendSome(
	env: Env,
	logId: string,
	entries: NewEntry[],
): Promise<(KnownEntry | null)[]> {
	const known = await eventLog(env, logId).append(entries, true);
	if (known.length === 0) throw new Error(`the event log ${logId} took none of the events`);
	// An object that still runs release 0.1 returns bare decisions, and does not say when they were stored.
	return known.map((entry) => (Array.isArray(entry) ? { decisions: entry, storedAt: 0 } : entry));
}
