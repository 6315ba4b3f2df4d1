/**
 * Splits a batch of messages into loads, which are decided, stored and handed over together. Loads are bounded in
 * bytes, so that neither a request of 5,000 events nor a hundred large messages exceeds the limits of an RPC call or of
 * this isolate's memory.
 */
import type { Env } from "../env.ts";
import { eventLog } from "../objects/clients.ts";
import { DECISION_BYTES, type Decision, type SluiceEvent } from "../events/event.ts";
import { sourceIdOfLog } from "../events/ids.ts";
import type { Message as Body } from "../events/queue/message.ts";
import type { TellWork } from "../events/expressions/expression.ts";
import { decodeSegment } from "../events/queue/segment.ts";
import { log } from "../log.ts";

/** An RPC call may carry 32 MiB, and six run at once. */
export const MAX_LOAD_BYTES = 4_000_000;
/**
 * The limit on expression work for the events of one source in one batch, about half a second. Without it, an
 * expression just below its own limit could take minutes for a batch of 5,000. The source's remaining events go back to
 * the end of the queue, after those of other sources.
 */
const MAX_SOURCE_WORK = 50_000_000;
/** The overhead of an event or a decision beyond payload, attributes and names. */
const OVERHEAD_BYTES = 500;

/** A readable message. */
export interface Read {
	message: Message;
	body: Body;
}

/** An event and the message that contained it. */
export interface Routed {
	message: Message;
	event: SluiceEvent;
	decisions: Decision[];
	/** When the event log first stored it, ms since the epoch. null: it is new. */
	storedAt: number | null;
}

export interface Load {
	routed: Routed[];
	/** Messages whose last event is in this load. */
	finished: Finished[];
}

export interface Finished extends Read {
	/** Events that must be queued again. "all": the message unchanged. */
	left: readonly SluiceEvent[] | "all";
}

/** Messages up to this size, in characters, keep their order. */
const SMALL_MESSAGE = 16_000;

/**
 * Sorts in place: small messages first, in their order, so that they do not wait for large ones. Messages whose events
 * were too large for the queue come last.
 */
export function smallFirst(messages: Read[]): Read[] {
	return messages.sort((left, right) => sizeOf(left) - sizeOf(right));
}

function sizeOf({ message, body }: Read): number {
	if (body.kind === "spilled") return Number.MAX_SAFE_INTEGER;
	return Math.max(String(message.body).length, SMALL_MESSAGE);
}

/**
 * Decides the events of `messages` one by one and yields them in loads, until the expressions of a source exceed
 * `maxWork`. Calls `fail` for an event that cannot be decided or a message whose events cannot be read, and continues
 * with the others.
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

/** All events of a message have the same source. */
function sourceOf(body: Body): string {
	return body.kind === "spilled" ? sourceIdOfLog(body.logId) : (body.events[0]?.sourceId ?? "");
}

async function eventsOf(body: Body, env: Env): Promise<SluiceEvent[]> {
	if (body.kind === "events") return body.events;
	const segments = await eventLog(env, body.logId).readSpilled(body.key);
	return segments.flatMap(decodeSegment);
}

/** An upper bound: in an RPC call, text takes up to two bytes per character. */
export function bytesOf({ event, decisions }: Pick<Routed, "event" | "decisions">): number {
	const { data, attributes } = event;
	const payload = data === null ? 0 : data.kind === "binary" ? data.base64.length : 2 * data.text.length;
	return payload + 2 * JSON.stringify(attributes).length + OVERHEAD_BYTES + decisions.length * DECISION_BYTES;
}
