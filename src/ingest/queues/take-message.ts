/** The entry point for events from queues: the source's kind parses a message, and its events are accepted. */
import type { Env } from "../../env.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { markAsTest, type TestMark } from "../../events/test-mark.ts";
import { type Refusal } from "../../http/refusal.ts";
import { bindKind } from "../../sources/registry.ts";
import type { Source } from "../../store/records.ts";
import { enqueue, refuseOversized } from "../../events/queue/enqueue.ts";
import { parseEvents } from "../parse-events.ts";

const NO_HEADERS = new Headers();

/**
 * Parses a message. The list of events may be empty. Refuses a message above the event size limit, so that it does not
 * block the messages accepted with it. `now`: when it was received, ms since the epoch.
 */
export async function readMessage(
	source: Source,
	text: string,
	now: number,
): Promise<{ ok: true; events: SluiceEvent[] } | Refusal> {
	const kind = bindKind(source);
	if (!kind.ok) return kind;
	const parsed = await parseEvents(source, kind, { headers: NO_HEADERS, body: Buffer.from(text), now });
	return parsed.ok ? (refuseOversized(parsed.events) ?? parsed) : parsed;
}

/**
 * Accepts a message and returns the ids of its events once the router's queue holds them. For the router's own samples.
 */
export async function takeMessage(
	env: Env,
	source: Source,
	text: string,
	now: number,
	mark: TestMark,
): Promise<{ ok: true; ids: string[] } | Refusal> {
	const read = await readMessage(source, text, now);
	if (!read.ok) return read;
	const events = read.events.map((event) => markAsTest(event, mark));
	const queued = events.length > 0 ? await enqueue(env, events) : read;
	return queued.ok ? { ok: true, ids: events.map(({ id }) => id) } : queued;
}
