/**
 * The consequences of an event, as a tree: its deliveries, their result events, the deliveries of
 * these, and so on. Read level by level, so that if there are too many, the nodes furthest from the
 * event are left out. A node that cannot be read says so and does not affect the others.
 */
import { countAttempts } from "../../delivery/rules/attempts.ts";
import type { DeliveryRecord } from "../../delivery/records.ts";
import type { Decision, SluiceEvent } from "../../events/event.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { MAX_HOPS } from "../../events/lineage.ts";
import { log } from "../../log.ts";
import { concurrently } from "../../objects/concurrently.ts";

/**
 * Events and deliveries that one trace may contain. Each is a call to a Durable Object, two for a
 * result that is not found.
 */
export const MAX_NODES = 500;
/** Depth below the first event in results: no subscription allows a longer chain. */
export const MAX_DEPTH = MAX_HOPS;
const CALLS_AT_ONCE = 6;

/**
 * not_found: it has not arrived yet, or has been deleted. unavailable: the object that stores it
 * could not be reached.
 */
export type Missing = "not_found" | "unavailable";
/** The event asked for decisions only: the delivery was never created. */
type Withheld = "withheld";

/** An event without its payload. */
export type KnownEvent = Omit<SluiceEvent, "data">;

export interface EventNode {
	id: string;
	event: KnownEvent | Missing;
	deliveries: DeliveryNode[];
	/** Deliveries that did not fit into the trace. */
	omitted: number;
}

/** Without the result and the attempts, which the delivery's own route returns. */
export interface KnownDelivery extends Pick<
	DeliveryRecord,
	| "status"
	| "reason"
	| "detail"
	| "blockedBy"
	| "blockedUntil"
	| "nextAttemptAt"
	| "deadlineAt"
	| "createdAt"
	| "finishedAt"
	| "resultEventId"
> {
	attemptCount: number;
	/** When the first attempt began. */
	triedAt: number | null;
}

export interface DeliveryNode {
	decision: Decision;
	delivery: KnownDelivery | Missing | Withheld;
	resultEvent: EventNode | null;
	/** Its result event did not fit into the trace. */
	isCut: boolean;
}

/** How a trace reads its nodes. Either may throw. */
export interface TraceReader {
	event(id: string): Promise<LogEntry | null>;
	delivery(decision: Decision, entry: Pick<LogEntry, "position" | "event">): Promise<DeliveryRecord | null>;
}

/** What is read of an event before its deliveries. */
interface Reached {
	node: EventNode;
	entry: { position: number; event: SluiceEvent; decisions: Decision[] } | null;
}

/** The tree below an event of the log. Never throws. */
export async function traceFrom(first: LogEntry, read: TraceReader): Promise<EventNode> {
	const root = reach(first.event.id, first);
	let room = MAX_NODES - 1;
	let level = [root];
	for (let depth = 0; level.length > 0; depth++) {
		const asked = level.flatMap(({ node, entry }) => {
			if (entry === null) return [];
			const taken = entry.decisions.slice(0, room);
			room -= taken.length;
			node.omitted = entry.decisions.length - taken.length;
			node.deliveries = taken.map(unread);
			return node.deliveries.map((delivery) => ({ delivery, entry }));
		});
		await concurrently(asked, CALLS_AT_ONCE, async ({ delivery, entry }) => {
			if (delivery.decision.withheld === true) {
				delivery.delivery = "withheld";
				return;
			}
			const found = await missingOr(read.delivery(delivery.decision, entry));
			delivery.delivery = typeof found === "string" ? found : withoutResult(found);
		});
		const results: { from: DeliveryNode; id: string }[] = [];
		for (const { delivery: from } of asked) {
			const id = typeof from.delivery === "string" ? null : from.delivery.resultEventId;
			if (id === null) continue;
			from.isCut = room === 0 || depth === MAX_DEPTH;
			if (from.isCut) continue;
			room -= 1;
			results.push({ from, id });
		}
		// In the order of the deliveries, not of the responses, so that the same nodes are left out each
		// time.
		const reached: (Reached | undefined)[] = results.map(() => undefined);
		await concurrently(results.entries(), CALLS_AT_ONCE, async ([at, { from, id }]) => {
			const one = reach(id, await missingOr(read.event(id)));
			from.resultEvent = one.node;
			reached[at] = one;
		});
		level = reached.filter((one) => one !== undefined);
	}
	return root.node;
}

/**
 * Payloads are dropped at once: those of all events together would not fit into memory.
 */
function reach(id: string, found: LogEntry | Missing): Reached {
	if (typeof found === "string") {
		return { node: { id, event: found, deliveries: [], omitted: 0 }, entry: null };
	}
	const { position, event, decisions } = found;
	const { data: _, ...known } = event;
	return {
		node: { id, event: known, deliveries: [], omitted: 0 },
		entry: { position, event: { ...known, data: null }, decisions },
	};
}

function unread(decision: Decision): DeliveryNode {
	return { decision, delivery: "not_found", resultEvent: null, isCut: false };
}

function withoutResult(record: DeliveryRecord): KnownDelivery {
	const { result: _, attempts, ...known } = record;
	return { ...known, attemptCount: countAttempts(attempts), triedAt: attempts[0]?.at ?? null };
}

async function missingOr<T>(reading: Promise<T | null>): Promise<T | Missing> {
	try {
		return (await reading) ?? "not_found";
	} catch (error) {
		log("trace.unavailable", { error: String(error) });
		return "unavailable";
	}
}
