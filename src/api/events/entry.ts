/**
 * An event of the logs, for routes that cannot do without it. An event is readable when it has been routed, a moment after
 * its 202: who asks in that moment is kept waiting for it.
 */
import type { Env } from "../../env.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { findEvent } from "../../events/log/find.ts";
import { logIdOf } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";

/** Before each further look, ms; some two seconds in all. An idle router needs one of them. */
const WAITS_MS = [50, 150, 300, 500, 1_000];
const RETRY_AFTER_SECONDS = 2;

/** null for what is no event id, and for an event that is not there after a short wait: not routed yet, or forgotten. */
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
 * Throws 404 `event_not_routed` while events wait in the queue, of which it may be one, and else `event_not_found`: the id
 * does not say when the event came.
 */
export async function readEntry(env: Env, id: string): Promise<LogEntry> {
	const entry = await awaitEvent(env, id);
	if (entry !== null) return entry;
	const waiting = logIdOf(id) === null ? 0 : await countWaiting(env);
	if (waiting > 0) {
		throw new Problem(
			404,
			"event_not_routed",
			`The event is not routed yet, or there is none with this id: ${waiting} messages wait in the queue. Ask again.`,
			{ headers: { "retry-after": String(RETRY_AFTER_SECONDS) } },
		);
	}
	throw new Problem(
		404,
		"event_not_found",
		"There is no event with this id, or it has been forgotten by now.",
	);
}

/** Messages in the queue; 0 where it does not tell. */
async function countWaiting(env: Env): Promise<number> {
	try {
		return (await env.EVENTS.metrics()).backlogCount;
	} catch {
		return 0;
	}
}
