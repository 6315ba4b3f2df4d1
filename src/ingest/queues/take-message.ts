/** The door for events that nobody posts: one message of a queue, read by the source's kind and accepted. */
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
 * The events of a message; none when it means nothing. A message with more than an event may hold is refused here,
 * so that it holds up none of those that are accepted together. `now`: when it came, ms since the epoch.
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

/** The ids of the events, which the queue of the router then holds; for samples of ours, marked as such. */
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
