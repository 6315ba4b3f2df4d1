/** The door for events that nobody posts: one message of a queue, read by the source's kind and accepted. */
import type { Env } from "../../env.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { type Refusal, toProblem } from "../../http/refusal.ts";
import type { Source } from "../../store/records.ts";
import { accept, refuseOversized } from "../../events/queue/accept.ts";
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
	const parsed = await parseEvents(source, { headers: NO_HEADERS, body: Buffer.from(text), now });
	return parsed.ok ? (refuseOversized(parsed.events) ?? parsed) : parsed;
}

/** The ids of the events, which the queue of the router holds when this returns. Throws `Problem`. */
export async function takeMessage(env: Env, source: Source, text: string, now: number): Promise<string[]> {
	const read = await readMessage(source, text, now);
	if (!read.ok) throw toProblem(read);
	if (read.events.length > 0) await accept(env, read.events);
	return read.events.map(({ id }) => id);
}
