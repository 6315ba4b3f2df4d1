/**
 * Publishes operational events for every room except dispatchers, which have their own announcer
 * (delivery/announcing/announcer.ts). An event is lost if it cannot be published: the operation that it reports must not wait or
 * fail.
 */
import type { Env } from "../env.ts";
import type { SluiceEvent } from "../events/event.ts";
import { enqueue } from "../events/queue/enqueue.ts";
import { describeRefusal } from "../http/refusal.ts";
import { log } from "../log.ts";
import { isAnnouncing } from "../store/views/announcing.ts";
import { buildOperationalEvent } from "./event.ts";
import type { Occurrence } from "./occurrence.ts";
import { Windows } from "./windows.ts";

const windows = new Windows();

/**
 * Publishes an occurrence unless it was published in this window already or nothing subscribes to operational events.
 * D1 is read only for occurrences that are due. `now` in ms. Never throws; for `waitUntil`.
 */
export async function announce(env: Env, occurrence: Occurrence, now = Date.now()): Promise<void> {
	const suppressed = windows.happened(`${occurrence.type}:${occurrence.key}`, now);
	if (suppressed === null) return;
	try {
		if (!(await isAnnouncing(env))) return;
	} catch (error) {
		log("operational.lost", { type: occurrence.type, subject: occurrence.subject, error: String(error) });
		return;
	}
	await publishOperational(env, buildOperationalEvent(occurrence, suppressed, now));
}

/** Sends the event to the queue. Returns whether the queue accepted it. Never throws. */
export async function publishOperational(env: Env, event: SluiceEvent): Promise<boolean> {
	const { type, subject } = event.attributes;
	try {
		const queued = await enqueue(env, [event]);
		if (queued.ok) return true;
		log("operational.refused", { type, subject, event_id: event.id, error: describeRefusal(queued) });
	} catch (error) {
		log("operational.refused", { type, subject, event_id: event.id, error: String(error) });
	}
	return false;
}
