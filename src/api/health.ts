/**
 * `GET /healthz`: shows that the Worker is alive, and how many messages wait in its queues. Needs
 * no key and no database.
 */
import type { Context } from "hono";
import type { Env } from "../env.ts";
import { formatTime } from "./fields/times.ts";

export async function health(c: Context<{ Bindings: Env }>): Promise<Response> {
	const [queue, deadLetterQueue] = await Promise.all([
		readBacklog(c.env.EVENTS),
		readBacklog(c.env.EVENTS_DLQ),
	]);
	return c.json({ status: "ok", queue, dead_letter_queue: deadLetterQueue });
}

/**
 * A number is null if the queue does not report it: a router that cannot count its backlog can
 * still be alive.
 */
async function readBacklog(queue: Queue): Promise<Record<string, number | string | null>> {
	try {
		const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
		return {
			backlog_count: backlogCount,
			backlog_bytes: backlogBytes,
			oldest_message_at: formatTime(oldestMessageTimestamp?.getTime() ?? null),
		};
	} catch {
		return { backlog_count: null, backlog_bytes: null, oldest_message_at: null };
	}
}
