/**
 * Reads an event of the logs for routes that need it. An event is readable once it has been routed,
 * a moment after its 202: a request in that moment waits for it.
 */
import type { Env } from "../../env.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { findEvent } from "../../events/log/find.ts";
import { logIdOf } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";

/**
 * Waits before each further read, ms; about two seconds in total. An idle router needs one of
 * them.
 */
const WAITS_MS = [50, 150, 300, 500, 1_000];
const RETRY_AFTER_SECONDS = 2;

/**
 * null if this is not an event id, or if the event is still missing after a short wait: not routed
 * yet, or deleted.
 */
export async function awaitEvent(env: Env, id: string): Promise<LogEntry | null> {
	if (logIdOf(id) === null) return null;
	for (const wait of WAITS_MS) {
		const entry = await findEvent(env, id);
		if (entry !== null) return entry;
		await scheduler.wait(wait);
	}
	return findEvent(env, id);
}

/**
 * Throws 404 `event_not_routed` while messages wait in the queue, because the event may be among
 * them, otherwise `event_not_found`: the id does not show when the event was received.
 */
export async function readEntry(env: Env, id: string): Promise<LogEntry> {
	const entry = await awaitEvent(env, id);
	if (entry !== null) return entry;
	const waiting = logIdOf(id) === null ? 0 : await countWaiting(env);
	if (waiting > 0) {
		throw new Problem(
			404,
			"event_not_routed",
			`The event is not routed yet, or there is none with this id: ${waiting} messages wait in the queue. Send the request again later.`,
			{ headers: { "retry-after": String(RETRY_AFTER_SECONDS) } },
		);
	}
	throw new Problem(404, "event_not_found", "There is no event with this id, or it has been deleted.");
}

/** Messages in the queue; 0 if the queue does not report it. */
async function countWaiting(env: Env): Promise<number> {
	try {
		return (await env.EVENTS.metrics()).backlogCount;
	} catch {
		return 0;
	}
}
