/**
 * The router: consumes a batch of queue messages, decides which endpoints receive each event, stores events and
 * decisions in the event log, and hands each dispatcher its deliveries. A message is acknowledged when all of that is
 * done. Every step may run twice, because ids are derived from content.
 */
import type { Env } from "../env.ts";
import { eventLog } from "../objects/clients.ts";
import { writeQuarantines } from "../store/quarantines/write-quarantines.ts";
import { decodeMessage } from "../events/queue/message.ts";
import { enqueue } from "../events/queue/enqueue.ts";
import { describeRefusal } from "../http/refusal.ts";
import { log } from "../log.ts";
import { resultBudget } from "./budget.ts";
import { decide } from "./decide.ts";
import { handOver } from "./hand-over.ts";
import { type Finished, inLoads, type Load, type Read, smallFirst } from "./loads.ts";
import { currentTable, type RoutingTable } from "./table.ts";

/**
 * The queue handler. A failure of one source or endpoint retries only its own messages. If D1 cannot be read, all
 * messages are retried with increasing delays. Never throws.
 */
export async function routeBatch(batch: MessageBatch, env: Env): Promise<void> {
	const startedAt = Date.now();
	const table = await currentTable(env).catch((error: unknown) => {
		log("router.no_table", { messages: batch.messages.length, error: String(error) });
		return null;
	});
	if (table === null) {
		for (const message of batch.messages) retryLater(message);
		return;
	}
	const tally = await routeAll(smallFirst(readable(batch.messages)), table, env);
	await writeQuarantines(env);
	log("router.batch", {
		messages: batch.messages.length,
		...(tally.messages < batch.messages.length && { failed: batch.messages.length - tally.messages }),
		events: tally.events,
		new_events: tally.newEvents,
		deliveries: tally.deliveries,
		event_ids: tally.eventIds,
		duration_ms: Date.now() - startedAt,
	});
}

/** Counts of what was routed completely, for the log. */
interface Tally {
	messages: number;
	events: number;
	newEvents: number;
	deliveries: number;
	eventIds: string[];
}

const nothing: Tally = { messages: 0, events: 0, newEvents: 0, deliveries: 0, eventIds: [] };
/** The maximum number of ids in a log line. */
const MAX_LOGGED_IDS = 10;

function add(left: Tally, right: Tally): Tally {
	return {
		messages: left.messages + right.messages,
		events: left.events + right.events,
		newEvents: left.newEvents + right.newEvents,
		deliveries: left.deliveries + right.deliveries,
		eventIds: [...left.eventIds, ...right.eventIds].slice(0, MAX_LOGGED_IDS),
	};
}

async function routeAll(messages: readonly Read[], table: RoutingTable, env: Env): Promise<Tally> {
	const failed = new Set<Message>();
	const fail = (message: Message): void => void failed.add(message);
	/** Counts per message, added to the total only once the message has succeeded. */
	const underWay = new Map<Message, Tally>();
	let done = nothing;
	const budget = resultBudget(env);
	for await (const load of inLoads(
		messages,
		env,
		(event, tell) => decide(event, table, tell, budget),
		fail,
	)) {
		await handOver(load.routed, env, fail);
		count(load, underWay);
		for (const read of load.finished) {
			const isDone = !failed.has(read.message) && (await settle(read, env));
			if (isDone) done = add(done, { ...(underWay.get(read.message) ?? nothing), messages: 1 });
			else retryLater(read.message);
			underWay.delete(read.message);
		}
	}
	return done;
}

function count({ routed }: Load, tallies: Map<Message, Tally>): void {
	for (const { message, event, decisions, storedAt } of routed) {
		const one = {
			messages: 0,
			events: 1,
			newEvents: storedAt === null ? 1 : 0,
			deliveries: decisions.filter(({ refused, withheld }) => (refused ?? withheld) === undefined).length,
			eventIds: [event.id],
		};
		tallies.set(message, add(tallies.get(message) ?? nothing, one));
	}
}

/**
 * Acknowledges a routed message after its remaining events are queued again. They are queued last, because otherwise
 * each retry would queue them once more. Returns false if that fails or spilled events cannot be dropped.
 */
async function settle({ message, body, left }: Finished, env: Env): Promise<boolean> {
	try {
		if (left === "all") await env.EVENTS.send(String(message.body), { contentType: "text" });
		else if (left.length > 0) {
			const queued = await enqueue(env, left);
			if (!queued.ok) return failed(message, describeRefusal(queued));
		}
		if (left.length > 0)
			log("router.queued_again", { message_id: message.id, events: left === "all" ? left : left.length });
		if (body.kind === "spilled" && left !== "all") await eventLog(env, body.logId).dropSpilled(body.key);
		message.ack();
		return true;
	} catch (error) {
		return failed(message, String(error));
	}
}

function failed({ id }: Message, error: string): false {
	log("router.failed", { message_id: id, error });
	return false;
}

/**
 * Returns the readable messages. An unreadable one is a bug or from a newer release; it ends in the dead-letter queue.
 */
function readable(messages: readonly Message[]): Read[] {
	return messages.flatMap((message) => {
		try {
			return [{ message, body: decodeMessage(message.body) }];
		} catch (error) {
			log("router.unreadable", { message_id: message.id, attempts: message.attempts, error: String(error) });
			retryLater(message);
			return [];
		}
	});
}

const FIRST_RETRY_SECONDS = 5;
/** With 100 tries, a message outlasts an outage of four days, the queue's retention period. */
const LONGEST_RETRY_SECONDS = 3_600;

/** Retries after 5, 10, 20 … 3,600 s, so that an outage does not use up a message's tries. */
function retryLater(message: Message): void {
	const delaySeconds = Math.min(FIRST_RETRY_SECONDS * 2 ** (message.attempts - 1), LONGEST_RETRY_SECONDS);
	message.retry({ delaySeconds });
}
