/**
 * A batch of messages as loads: what is decided, stored and handed over together. A load is bounded in bytes before
 * anything is done with it, so that neither a request of 5,000 events nor a hundred large messages is more than one
 * call between objects, or this isolate's memory, can hold.
 */
import type { Env } from "../env.ts";
import { eventLog } from "../objects/clients.ts";
import { DECISION_BYTES, type Decision, type SluiceEvent } from "../events/event.ts";
import { sourceIdOfLog } from "../events/ids.ts";
import type { Message as Body } from "../events/queue/message.ts";
import type { TellWork } from "../events/expressions/expression.ts";
import { decodeSegment } from "../events/queue/segment.ts";
import { log } from "../log.ts";

/** A call between objects may carry 32 MiB, and six of them are on their way at once. */
export const MAX_LOAD_BYTES = 4_000_000;
/**
 * Work of expressions on the events of one source in one batch, some half a second: one below its own limit would
 * otherwise take minutes over a batch of 5,000. What is left of the source's events then queues up once more, behind
 * those of others.
 */
const MAX_SOURCE_WORK = 50_000_000;
/** Overhead of an event and of a decision, besides payload, attributes and names. */
const OVERHEAD_BYTES = 500;

/** A message that could be read. */
export interface Read {
	message: Message;
	body: Body;
}

/** One event on its way, and the message that brought it. */
export interface Routed {
	message: Message;
	event: SluiceEvent;
	decisions: Decision[];
	/** When the event log first had it, ms since the epoch; null when it is new. */
	storedAt: number | null;
}

export interface Load {
	routed: Routed[];
	/** Messages whose last event is in this load. */
	finished: Finished[];
}

export interface Finished extends Read {
	/** Events that have to queue up once more; "all": the message as it came. */
	left: readonly SluiceEvent[] | "all";
}

/** Up to this size, in characters, messages keep the order in which they came. */
const SMALL_MESSAGE = 16_000;

/**
 * Small messages first, as they came, so that they do not wait for large ones; those whose events were too large for
 * a message last. In place.
 */
export function smallFirst(messages: Read[]): Read[] {
	return messages.sort((left, right) => sizeOf(left) - sizeOf(right));
}

function sizeOf({ message, body }: Read): number {
	if (body.kind === "spilled") return Number.MAX_SAFE_INTEGER;
	return Math.max(String(message.body).length, SMALL_MESSAGE);
}

/**
 * Decides the events of `messages` one by one and yields them in loads, until expressions have done too much work on
 * those of a source (`maxWork`). An event that cannot be decided, or a message
 * whose events cannot be had, is told to `fail` and left out; the others go on.
 */
export async function* inLoads(
	messages: readonly Read[],
	env: Env,
	decide: (event: SluiceEvent, tell: TellWork) => Promise<Decision[]>,
	fail: (message: Message) => void,
	maxWork = MAX_SOURCE_WORK,
): AsyncGenerator<Load> {
	const work = new Map<string, number>();
	const isSpent = (sourceId: string): boolean => (work.get(sourceId) ?? 0) >= maxWork;
	let load: Load = { routed: [], finished: [] };
	let bytes = 0;
	for (const read of messages) {
		const { message } = read;
		const sourceId = sourceOf(read.body);
		if (isSpent(sourceId)) {
			load.finished.push({ ...read, left: "all" });
			continue;
		}
		const tell = (units: number): void => void work.set(sourceId, (work.get(sourceId) ?? 0) + units);
		let left: SluiceEvent[] = [];
		const events = await eventsOf(read.body, env).catch((error: unknown) => {
			log("router.failed", { message_id: message.id, error: String(error) });
			fail(message);
			return [];
		});
		for (const [index, event] of events.entries()) {
			if (isSpent(sourceId)) {
				left = events.slice(index);
				break;
			}
			try {
				const routed: Routed = { message, event, decisions: await decide(event, tell), storedAt: null };
				const more = bytesOf(routed);
				if (load.routed.length > 0 && bytes + more > MAX_LOAD_BYTES) {
					yield load;
					load = { routed: [], finished: [] };
					bytes = 0;
				}
				load.routed.push(routed);
				bytes += more;
			} catch (error) {
				log("router.failed", { message_id: message.id, event_id: event.id, error: String(error) });
				fail(message);
			}
		}
		load.finished.push({ ...read, left });
	}
	yield load;
}

/** A message has events of one source. */
function sourceOf(body: Body): string {
	return body.kind === "spilled" ? sourceIdOfLog(body.logId) : (body.events[0]?.sourceId ?? "");
}

async function eventsOf(body: Body, env: Env): Promise<SluiceEvent[]> {
	if (body.kind === "events") return body.events;
	const segments = await eventLog(env, body.logId).readSpilled(body.key);
	return segments.flatMap(decodeSegment);
}

/** An upper bound: text takes up to two bytes a character in a call between objects. */
export function bytesOf({ event, decisions }: Pick<Routed, "event" | "decisions">): number {
	const { data, attributes } = event;
	const payload = data === null ? 0 : data.kind === "binary" ? data.base64.length : 2 * data.text.length;
	return payload + 2 * JSON.stringify(attributes).length + OVERHEAD_BYTES + decisions.length * DECISION_BYTES;
}
