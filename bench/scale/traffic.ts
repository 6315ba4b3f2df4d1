/**
 * One second of events on its path through the real router: batches of messages become loads, decisions, and calls to
 * event logs and dispatchers, which here only count. How many calls an object receives depends on how many of its events
 * share a batch, and no formula describes that as well.
 */
import type { Decision, SluiceEvent } from "../../src/events/event.ts";
import { decodeMessage } from "../../src/events/queue/message.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";
import { decide } from "../../src/routing/decide.ts";
import { handOver } from "../../src/routing/hand-over.ts";
import { inLoads, type Read, type Routed, smallFirst } from "../../src/routing/loads.ts";
import { countingEnv, newTally, type Tally } from "./counting.ts";
import type { Population } from "./population.ts";

/** Events and decisions, drawn once and routed repeatedly in different batches. */
export interface Sample {
	reads: readonly Read[];
	decisions: ReadonlyMap<string, Decision[]>;
	/** Average per message. */
	messageBytes: number;
}

/** Draws `count` events and decides them. Each is a request, and so a message, of its own. */
export async function drawSample({ draw, table }: Population, count: number): Promise<Sample> {
	const reads: Read[] = [];
	const decisions = new Map<string, Decision[]>();
	let bytes = 0;
	for (let number = 0; number < count; number += 1) {
		const event = draw();
		const text = encodeSegment([event]);
		bytes += text.length;
		reads.push({ message: messageOf(event.id, text), body: decodeMessage(text) });
		decisions.set(event.id, await decide(event, table));
	}
	return { reads, decisions, messageBytes: bytes / count };
}

export interface Way {
	/** Messages in a batch. */
	batch: number;
	/** The queue of each message in the sample. Default: one queue. */
	queues?: readonly number[];
	/** The event log of an event. Default: that of its source. */
	logOf?: (event: SluiceEvent) => string;
	/** The dispatcher of a delivery. Default: that of its endpoint. */
	dispatcherOf?: (decision: Decision) => string;
}

/** Routes the whole sample. Throws if the router could not deliver something, which would be a bug here. */
export async function route({ reads, decisions }: Sample, way: Way): Promise<Tally> {
	const tally = newTally();
	const env = countingEnv(tally);
	const decided = async (event: SluiceEvent): Promise<Decision[]> => decisions.get(event.id) ?? [];
	const byQueue = Map.groupBy(reads.keys(), (index) => way.queues?.[index] ?? 0);
	for (const indexes of byQueue.values()) {
		for (let at = 0; at < indexes.length; at += way.batch) {
			const batch = indexes.slice(at, at + way.batch).flatMap((index) => reads[index] ?? []);
			tally.batches += 1;
			for await (const { routed } of inLoads(smallFirst(batch), env, decided, failed)) {
				const before = { ...tally };
				await handOver(redirected(routed, way), env, failed);
				tally.steps += stepsFor(tally.logCalls - before.logCalls);
				tally.steps += stepsFor(tally.dispatcherCalls - before.dispatcherCalls);
			}
		}
	}
	return tally;
}

/** As in routing/hand-over.ts: the number of concurrent calls. */
const CALLS_AT_ONCE = 6;

function stepsFor(calls: number): number {
	return Math.ceil(calls / CALLS_AT_ONCE);
}

/** The load if an event's id named another log, or if an endpoint had several dispatchers. */
function redirected(routed: readonly Routed[], { logOf, dispatcherOf }: Way): Routed[] {
	return routed.map((item) => ({
		...item,
		event: logOf === undefined ? item.event : { ...item.event, sourceId: logOf(item.event) },
		decisions:
			dispatcherOf === undefined
				? item.decisions
				: item.decisions.map((decision) => ({ ...decision, endpointId: dispatcherOf(decision) })),
	}));
}

function messageOf(id: string, body: string): Message {
	return { id, timestamp: new Date(0), attempts: 1, body, ack: () => {}, retry: () => {} };
}

function failed(message: Message): never {
	throw new Error(`Message ${message.id} was not delivered.`);
}
