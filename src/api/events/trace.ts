/**
 * What came of an event, as a tree: its deliveries, the result events of these, their deliveries, and so on. Read level
 * by level, so that what is left out where there is too much is what is furthest from the event. What cannot be read is a
 * node that says so, and fails no other.
 */
import { countAttempts } from "../../delivery/rules/attempts.ts";
import type { DeliveryRecord } from "../../delivery/records.ts";
import type { Decision, SluiceEvent } from "../../events/event.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { MAX_HOPS } from "../../events/lineage.ts";
import { log } from "../../log.ts";
import { concurrently } from "../../objects/concurrently.ts";

/** Events and deliveries that one trace holds. Each is a call to a Durable Object, two for a result that is not found. */
export const MAX_NODES = 500;
/** Results deep below the first event: no subscription lets a chain become longer. */
export const MAX_DEPTH = MAX_HOPS;
const CALLS_AT_ONCE = 6;

/** not_found: it is on its way, or has been forgotten. unavailable: who keeps it could not be asked. */
export type Missing = "not_found" | "unavailable";

/** An event without its payload. */
export type KnownEvent = Omit<SluiceEvent, "data">;

export interface EventNode {
	id: string;
	event: KnownEvent | Missing;
	deliveries: DeliveryNode[];
	/** Deliveries that there was no room for. */
	omitted: number;
}

/** Without the result and the attempts, which a delivery by itself has. */
export interface KnownDelivery extends Pick<
	DeliveryRecord,
	"status" | "reason" | "detail" | "createdAt" | "finishedAt" | "resultEventId"
> {
	attemptCount: number;
	/** When the first attempt began. */
	triedAt: number | null;
}

export interface DeliveryNode {
	decision: Decision;
	delivery: KnownDelivery | Missing;
	resultEvent: EventNode | null;
	/** There was no room for its result event. */
	isCut: boolean;
}

/** How a trace gets at what it shows. Either may throw. */
export interface TraceReader {
	event(id: string): Promise<LogEntry | null>;
	delivery(decision: Decision, entry: Pick<LogEntry, "position" | "event">): Promise<DeliveryRecord | null>;
}

/** What is read of an event before its deliveries are. */
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
		// In the order of the deliveries, whichever comes first: what there is no room for is the same each time.
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

/** Payloads are let go at once: those of all events together would not fit into memory. */
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
	const { status, reason, detail, createdAt, finishedAt, resultEventId, attempts } = record;
	return {
		status,
		reason,
		detail,
		createdAt,
		finishedAt,
		resultEventId,
		attemptCount: countAttempts(attempts),
		triedAt: attempts[0]?.at ?? null,
	};
}

async function missingOr<T>(reading: Promise<T | null>): Promise<T | Missing> {
	try {
		return (await reading) ?? "not_found";
	} catch (error) {
		log("trace.unavailable", { error: String(error) });
		return "unavailable";
	}
}
