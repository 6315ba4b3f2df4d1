/** Event logs and dispatchers that count calls and store nothing. */
import type { Env } from "../../src/env.ts";
import type { NewEntry } from "../../src/events/log/entry.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";

/** What one object received. */
export interface Counted {
	calls: number;
	/** Events for a log, deliveries for a dispatcher. */
	items: number;
	/** Bytes that a log stores; 0 for dispatchers. */
	bytes: number;
}

export interface Tally {
	events: number;
	deliveries: number;
	batches: number;
	/** Sequential waits; six concurrent calls count as one. They make up the time of a batch. */
	steps: number;
	logCalls: number;
	dispatcherCalls: number;
	logs: Map<string, Counted>;
	dispatchers: Map<string, Counted>;
}

export function newTally(): Tally {
	const none = { events: 0, deliveries: 0, batches: 0, steps: 0, logCalls: 0, dispatcherCalls: 0 };
	return { ...none, logs: new Map(), dispatchers: new Map() };
}

/** The bindings that the router needs to deliver a load. */
export function countingEnv(tally: Tally): Env {
	const log = (id: string) => ({
		append: async (entries: NewEntry[]): Promise<null[]> => {
			tally.logCalls += 1;
			tally.events += entries.length;
			count(tally.logs, id, entries.length, storedBytes(entries));
			return entries.map(() => null);
		},
	});
	const dispatcher = (id: string) => ({
		enqueue: async (items: Pick<NewEntry, "decisions">[]): Promise<void> => {
			const deliveries = items.reduce((sum, { decisions }) => sum + decisions.length, 0);
			tally.dispatcherCalls += 1;
			tally.deliveries += deliveries;
			count(tally.dispatchers, id, deliveries, 0);
		},
	});
	return {
		EVENT_LOG: namespaceOf(log),
		DISPATCHER: namespaceOf(dispatcher),
	} as unknown as Env;
}

function namespaceOf<Stub>(stubOf: (id: string) => Stub) {
	return { idFromName: (name: string) => name, get: (id: string) => stubOf(id) };
}

function count(counted: Map<string, Counted>, id: string, items: number, bytes: number): void {
	const known = counted.get(id) ?? { calls: 0, items: 0, bytes: 0 };
	counted.set(id, { calls: known.calls + 1, items: known.items + items, bytes: known.bytes + bytes });
}

/** The length of the columns `ids`, `segment` and `decisions` in the row that an append writes, in characters. */
function storedBytes(entries: readonly NewEntry[]): number {
	const segment = encodeSegment(entries.map(({ event }) => event)).length;
	const decisions = JSON.stringify(entries.map((entry) => entry.decisions)).length;
	return segment + decisions + entries.length * HASH_BYTES;
}

const HASH_BYTES = 22;

/** The object with the highest value of `of`. Throws if there are no objects. */
export function busiest(
	objects: ReadonlyMap<string, Counted>,
	of: (counted: Counted) => number,
): { id: string; counted: Counted } {
	let best: { id: string; counted: Counted } | null = null;
	for (const [id, counted] of objects) {
		if (best === null || of(counted) > of(best.counted)) best = { id, counted };
	}
	if (best === null) throw new Error("Nothing was called.");
	return best;
}
