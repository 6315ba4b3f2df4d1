/**
 * The router: takes a batch of queue messages, decides for each event who gets it, has the event log keep both,
 * and hands each dispatcher all its deliveries in one call. A message is acknowledged when all of that is done;
 * every step may run twice, because ids follow from what they name.
 */
import { dispatcher } from "../delivery/client.ts";
import type { IncomingEvent } from "../delivery/inbox.ts";
import type { Env } from "../env.ts";
import { eventLog } from "../events/client.ts";
import type { Decision, SluiceEvent } from "../events/event.ts";
import { decodeMessage, type Message as Body } from "../events/message.ts";
import { decodeSegment } from "../events/segment.ts";
import { log } from "../log.ts";
import { decide } from "./decide.ts";
import { currentTable, type RoutingTable } from "./table.ts";

/** One event on its way, and the message that brought it. */
interface Routed {
	message: Message;
	event: SluiceEvent;
	decisions: Decision[];
	isNew: boolean;
}

/**
 * The queue handler. What fails for one source or one endpoint brings back only the messages that have to do with
 * it; while D1 cannot be read, all of them come back, later and later.
 */
export async function routeBatch(batch: MessageBatch, env: Env): Promise<void> {
	const startedAt = Date.now();
	const routed: Routed[] = [];
	try {
		const table = await currentTable(env);
		for (const load of inLoads(batch.messages)) routed.push(...(await routeOrRetry(load, table, env)));
	} catch (error) {
		log("router.no_table", { messages: batch.messages.length, error: String(error) });
		for (const message of batch.messages) retryLater(message);
		return;
	}
	log("router.batch", {
		messages: batch.messages.length,
		events: routed.length,
		new_events: routed.filter(({ isNew }) => isNew).length,
		deliveries: routed.reduce((count, { decisions }) => count + decisions.length, 0),
		event_ids: routed.slice(0, 10).map(({ event }) => event.id),
		duration_ms: Date.now() - startedAt,
	});
}

const FIRST_RETRY_SECONDS = 5;
/** With 100 tries, a message waits out an outage of four days, which is as long as the queue keeps it. */
const LONGEST_RETRY_SECONDS = 3_600;

/** 5, 10, 20 … 3,600 s: an outage must not use up the tries of a message. */
function retryLater(message: Message): void {
	const delaySeconds = Math.min(FIRST_RETRY_SECONDS * 2 ** (message.attempts - 1), LONGEST_RETRY_SECONDS);
	message.retry({ delaySeconds });
}

/** A load that cannot be routed at all comes back by itself, and holds up no other. */
async function routeOrRetry(load: Read[], table: RoutingTable, env: Env): Promise<Routed[]> {
	try {
		return await routeLoad(load, table, env);
	} catch (error) {
		log("router.failed", { messages: load.length, error: String(error) });
		for (const { message } of load) retryLater(message);
		return [];
	}
}

type Read = { message: Message; body: Body };

/**
 * What is routed together: all the messages that carry their events, and each that refers to spilled ones alone,
 * since a hundred of those would not fit into memory. A message that cannot be read is a bug or comes from a
 * newer version; it ends in the dead-letter queue.
 */
function inLoads(messages: readonly Message[]): Read[][] {
	const carrying: Read[] = [];
	const referring: Read[][] = [];
	for (const message of messages) {
		try {
			const body = decodeMessage(message.body);
			if (body.kind === "events") carrying.push({ message, body });
			else referring.push([{ message, body }]);
		} catch (error) {
			log("router.unreadable", { message: message.id, attempts: message.attempts, error: String(error) });
			retryLater(message);
		}
	}
	return carrying.length > 0 ? [carrying, ...referring] : referring;
}

/** Routes one load, then acknowledges its messages, or asks for those again of which something failed. */
async function routeLoad(load: Read[], table: RoutingTable, env: Env): Promise<Routed[]> {
	const failed = new Set<Message>();
	const routed: Routed[] = [];
	for (const { message, body } of load) {
		try {
			const decided: Routed[] = [];
			for (const event of await eventsOf(body, env)) {
				decided.push({ message, event, decisions: await decide(event, table), isNew: true });
			}
			routed.push(...decided);
		} catch (error) {
			log("router.failed", { messages: 1, error: String(error) });
			failed.add(message);
		}
	}
	await keep(routed, env, failed);
	await dispatch(
		routed.filter(({ message }) => !failed.has(message)),
		env,
		failed,
	);
	for (const { message, body } of load) {
		if (failed.has(message)) {
			retryLater(message);
			continue;
		}
		if (body.kind === "spilled") await eventLog(env, body.sourceId).dropSpilled(body.key);
		message.ack();
	}
	return routed;
}

async function eventsOf(body: Body, env: Env): Promise<SluiceEvent[]> {
	if (body.kind === "events") return body.events;
	const segments = await eventLog(env, body.sourceId).readSpilled(body.key);
	return segments.flatMap(decodeSegment);
}

/** Stores events with their decisions, one call for each source. For an event that is known, the first decisions hold. */
async function keep(routed: Routed[], env: Env, failed: Set<Message>): Promise<void> {
	const bySource = Map.groupBy(routed, ({ event }) => event.sourceId);
	const calls = Array.from(bySource, async ([sourceId, group]) => {
		try {
			const known = await eventLog(env, sourceId).append(
				group.map(({ event, decisions }) => ({ event, decisions })),
			);
			group.forEach((item, index) => {
				const first = known[index] ?? null;
				if (first === null) return;
				item.decisions = first;
				item.isNew = false;
			});
		} catch (error) {
			log("router.log_failed", { source: sourceId, error: String(error) });
			for (const { message } of group) failed.add(message);
		}
	});
	await Promise.all(calls);
}

/** Hands deliveries to their dispatchers, one call for each endpoint. */
async function dispatch(routed: readonly Routed[], env: Env, failed: Set<Message>): Promise<void> {
	const byEndpoint = new Map<string, { items: IncomingEvent[]; messages: Message[] }>();
	for (const { event, decisions, message } of routed) {
		for (const [endpointId, own] of Map.groupBy(decisions, (decision) => decision.endpointId)) {
			const group = byEndpoint.get(endpointId) ?? { items: [], messages: [] };
			group.items.push({ event, decisions: own });
			group.messages.push(message);
			byEndpoint.set(endpointId, group);
		}
	}
	const calls = Array.from(byEndpoint, async ([endpointId, { items, messages }]) => {
		try {
			await dispatcher(env, endpointId).enqueue(items);
		} catch (error) {
			log("router.dispatch_failed", { endpoint: endpointId, error: String(error) });
			for (const message of messages) failed.add(message);
		}
	});
	await Promise.all(calls);
}
