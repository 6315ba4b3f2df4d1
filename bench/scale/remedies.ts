/** The remedies of the design, applied: the same second of events, routed in another way. */
import type { Decision, SluiceEvent } from "../../src/events/event.ts";
import { busiest, type Tally } from "./counting.ts";
import { batchTime } from "./endpoint.ts";
import { LIMITS, type Limit, STEPS } from "./limits.ts";
import { MICRO_BATCH, MOST_EXCHANGES } from "./models.ts";
import type { Population } from "./population.ts";
import { fullestOf, QUEUES, queuesFor } from "./queues.ts";
import { d1Queries, exchanges, routing, slowestOf } from "./rates.ts";
import { route, type Sample, type Way } from "./traffic.ts";

export interface Remedy {
	what: string;
	/** What the figures measure, with their unit. */
	of: string;
	before: number;
	after: number;
	limit: Limit;
}

const SHARDS = 16;
/** Sources with a smaller share of all events keep one log, because sharding would only add calls. */
const SHARDED_SHARE = 0.001;
/** For how long a dispatcher could trust its settings. It is told about changes anyway. */
const LONGER_SECONDS = 300;

/** All figures are for `load` events a second, in batches of `batch`. */
export async function remediesFor(
	population: Population,
	sample: Sample,
	load: number,
	batch: number,
): Promise<Remedy[]> {
	const room = (LIMITS.queueMessages.low * sample.reads.length) / load;
	const busy = new Set(population.sources.flatMap(({ id, share }) => (share >= SHARDED_SHARE ? [id] : [])));
	const shardOf = (event: SluiceEvent): string =>
		busy.has(event.sourceId) ? `${event.sourceId}/${shardNumber(event)}` : event.sourceId;
	const plain = queuesFor(sample, sourceOf, Number.POSITIVE_INFINITY);
	const withFailover = queuesFor(sample, sourceOf, room);
	const byShard = queuesFor(sample, shardOf, room);

	const tallyOf = (way: Omit<Way, "batch">): Promise<Tally> => route(sample, { ...way, batch });
	const base = await tallyOf({});
	const queued = await tallyOf({ queues: withFailover });
	const sharded = await tallyOf({ logOf: shardOf });
	const both = await tallyOf({ logOf: shardOf, queues: withFailover });
	const together = await tallyOf({ logOf: shardOf, queues: byShard });
	const weighted = await tallyOf({ dispatcherOf: oneOfTwo });

	const scale = load / sample.reads.length;
	const logCalls = ({ logs }: Tally): number => busiest(logs, ({ calls }) => calls).counted.calls * scale;
	const dispatcherCalls = ({ dispatchers }: Tally): number =>
		busiest(dispatchers, ({ calls }) => calls).counted.calls * scale;
	const history = ({ logs }: Tally): number =>
		(busiest(logs, ({ bytes }) => bytes).counted.bytes * scale * STEPS.logSeconds) / 1e9;
	const d1 = (seconds?: number): number =>
		Object.values(d1Queries(population, queued, load, seconds)).reduce((sum, part) => sum + part, 0);

	const fullest = { of: "messages/s of a queue", before: load, limit: LIMITS.queueMessages };
	const log = { of: "calls/s of a log", before: logCalls(base), limit: LIMITS.writingCalls };
	const dispatcher = { of: "calls/s of a dispatcher", limit: LIMITS.writingCalls };
	return [
		{ what: `${QUEUES} event queues by hash of source`, ...fullest, after: fullestOf(plain) * scale },
		{ what: "  the same with failover", ...fullest, after: fullestOf(withFailover) * scale },
		{ what: "  the same with failover", ...log, after: logCalls(queued) },
		{
			what: "  the same with failover",
			...dispatcher,
			before: dispatcherCalls(base),
			after: dispatcherCalls(queued),
		},
		{
			what: "  the same with failover",
			of: "routers of a queue",
			before: routing(base, load),
			after: routing(queued, load) * (fullestOf(withFailover) / sample.reads.length),
			limit: LIMITS.consumers,
		},
		{ what: `${SHARDS} shards of a busy log by id hash`, ...log, after: logCalls(sharded) },
		{
			what: "  the same",
			of: "GB in 7 days of a log",
			before: history(base),
			after: history(sharded),
			limit: {
				...LIMITS.historyBytes,
				low: LIMITS.historyBytes.low / 1e9,
				high: LIMITS.historyBytes.high / 1e9,
			},
		},
		{ what: "  queues by source and shards", ...log, after: logCalls(both) },
		{ what: "  queues by source and shard together", ...log, after: logCalls(together) },
		{
			what: "two endpoints, weighted subscription",
			...dispatcher,
			before: dispatcherCalls(base),
			after: dispatcherCalls(weighted),
		},
		...handRemedies(population, load),
		{
			what: `settings trusted for ${LONGER_SECONDS} s (not planned)`,
			of: "D1 queries/s",
			before: d1(),
			after: d1(LONGER_SECONDS),
			limit: LIMITS.d1Queries,
		},
	];
}

/** The exchanges that the slowest endpoint needs, as a multiple of those that it may have. */
function handRemedies(population: Population, load: number): Remedy[] {
	const slowest = slowestOf(population);
	const needed = exchanges(slowest, load);
	const each = batchTime(slowest.modelSeconds, MICRO_BATCH) / slowest.modelSeconds / MICRO_BATCH;
	const common = {
		of: `needed exchanges of ${slowest.modelSeconds} s`,
		before: needed / LIMITS.connections.low,
		limit: { low: 1, high: 1, origin: "own" },
	} as const;
	return [
		{ what: `hands, ${MOST_EXCHANGES} exchanges`, ...common, after: needed / MOST_EXCHANGES },
		{ what: `  with ${MICRO_BATCH} deliveries in each`, ...common, after: (needed * each) / MOST_EXCHANGES },
	];
}

/** From the first digit of the hash in the id (events/ids.ts), which is one of 32. */
function shardNumber({ id }: SluiceEvent): number {
	return "0123456789abcdefghjkmnpqrstvwxyz".indexOf(id.charAt("evt_".length)) % SHARDS;
}

function oneOfTwo({ deliveryId, endpointId }: Decision): string {
	return `${endpointId}/${deliveryId.charCodeAt("dlv_".length) % 2}`;
}

function sourceOf({ sourceId }: SluiceEvent): string {
	return sourceId;
}
