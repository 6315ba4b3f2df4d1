/** Which limit is reached first: each resource, its busiest object, the load on it, and the load at which it is full. */
import { busiest, type Counted, type Tally } from "./counting.ts";
import { LIMITS, type Limit, STEPS } from "./limits.ts";
import type { Population } from "./population.ts";
import { d1Queries, exchanges, routing, routingIsolates, slowestOf } from "./rates.ts";
import type { Sample } from "./traffic.ts";

export interface Finding {
	what: string;
	/** The unit of the usage and the limit. */
	unit: string;
	/** The usage at `load` events a second, routed in such batches. */
	usage: (load: number, tally: Tally) => number;
	limit: Limit;
	/** What happens at the limit → the remedies of the design. */
	verdict: string;
	/** What fills the resource instead, if the load does not matter. */
	fullBy?: string;
}

export function findingsFor(population: Population, sample: Sample): Finding[] {
	const { endpoints, table } = population;
	const slowest = slowestOf(population);
	const subscriptions = table.subscriptions.length;
	const hottest = (load: number): number => load * Math.max(...endpoints.map(({ share }) => share));
	return [
		{
			what: `Slowest endpoint: exchanges of ${slowest.modelSeconds} s`,
			unit: "at once",
			usage: (load) => exchanges(slowest, load),
			limit: LIMITS.exchanges,
			verdict: "deliveries wait in the inbox → micro-batches, asynchronous completion",
		},
		{
			what: "Busiest source: history of 7 days",
			unit: "GB",
			usage: (load, tally) => (log(({ bytes }) => bytes)(load, tally) * STEPS.logSeconds) / 1e9,
			limit: scaled(LIMITS.historyBytes, 1e-9),
			verdict: "nothing stops, history gets shorter → shards by id hash; retention by size, with an alert",
		},
		{
			what: "Busiest endpoint: finished in 30 days",
			unit: "GB",
			usage: (load) => (hottest(load) * STEPS.deliveryBytes * STEPS.deliverySeconds) / 1e9,
			limit: scaled(LIMITS.historyBytes, 1e-9),
			verdict: "nothing stops, the list gets shorter → retention by size, with an alert",
		},
		{
			what: "Busiest source: events in an hour",
			unit: "events",
			usage: (load, tally) => log(({ items }) => items)(load, tally) * STEPS.hour,
			limit: LIMITS.window,
			verdict:
				"a duplicate after an hour is stored again, but not delivered again → shards by id hash, each with its window",
		},
		{
			what: "Busiest source: calls of its log",
			unit: "calls/s",
			usage: log(({ calls }) => calls),
			limit: LIMITS.writingCalls,
			verdict: "batches fail and are retried later → fuller batches: queues by hash of source; then shards",
		},
		{
			what: "Busiest endpoint: calls of its dispatcher",
			unit: "calls/s",
			usage: (load, { dispatchers, events }) =>
				(busiest(dispatchers, ({ calls }) => calls).counted.calls * load) / events,
			limit: LIMITS.writingCalls,
			verdict:
				"batches fail and are retried later → fuller batches; then two endpoints behind a weighted subscription",
		},
		{
			what: "Event queue",
			unit: "messages/s",
			usage: (load) => load,
			limit: LIMITS.queueMessages,
			verdict: "publishers get 503 → several queues by hash of source, the others as failover",
		},
		{
			what: "Event queue: an hour without a router",
			unit: "GB",
			usage: (load) => (load * sample.messageBytes * STEPS.hour) / 1e9,
			limit: scaled(LIMITS.queueBytes, 1e-9),
			verdict: "publishers get 503 → several queues",
		},
		{
			what: "Routers at once",
			unit: "invocations",
			usage: (load, tally) => routing(tally, load),
			limit: LIMITS.consumers,
			verdict: "the queue grows, so batches become fuller → several queues, 250 invocations each",
		},
		{
			what: "D1: versions, settings, sources",
			unit: "queries/s",
			usage: (load, tally) =>
				Object.values(d1Queries(population, tally, load)).reduce((total, part) => total + part, 0),
			limit: LIMITS.d1Queries,
			verdict:
				"routing and deliveries wait → version reads are limited; no remedy for settings, read every 30 s by dispatchers",
		},
		{
			what: `D1: ${subscriptions.toLocaleString("en")} rows for each router`,
			unit: "s",
			usage: (load, tally) => routingIsolates(tally, load) * subscriptions * STEPS.subscriptionReadSeconds,
			limit: { low: 1, high: 1, origin: "assumed" },
			verdict:
				"each change takes this long, and others wait → delta loads by version; many changes in one (/v1/config)",
		},
		{
			what: `Routing table: ${subscriptions.toLocaleString("en")} subscriptions`,
			unit: "MB",
			usage: () => (subscriptions * STEPS.subscriptionBytes) / 1e6,
			limit: scaled(LIMITS.tableBytes, 1e-6),
			verdict: "the isolate runs out of memory → a table per source",
			fullBy: `${hundreds(LIMITS.tableBytes.low / STEPS.subscriptionBytes).toLocaleString("en")} of them`,
		},
	];
}

/** The usage of the log with the highest value of `of`. */
function log(of: (counted: Counted) => number) {
	return (load: number, { logs, events }: Tally): number => (of(busiest(logs, of).counted) * load) / events;
}

function scaled({ low, high, origin }: Limit, factor: number): Limit {
	return { low: low * factor, high: high * factor, origin };
}

function hundreds(value: number): number {
	return Math.floor(value / 100) * 100;
}
