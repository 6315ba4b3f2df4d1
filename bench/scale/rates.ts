/**
 * What happens per second at a given load: the shares of the population times the load, and the reads of caches that
 * expire. `load` is in events per second everywhere.
 */
import type { Tally } from "./counting.ts";
import type { Units } from "./costs.ts";
import { LIMITS, STEPS } from "./limits.ts";
import type { Population } from "./population.ts";

/** Reads per second of something that is used `perSecond` times and cached for `seconds` after each read. */
export function readsOf(perSecond: number, trustedSeconds: number): number {
	return perSecond / (1 + perSecond * trustedSeconds);
}

/** Concurrent invocations of the router: batches per second, times the time of one. */
export function routing({ batches, steps, events }: Tally, load: number): number {
	const seconds = STEPS.batchSeconds + (steps / batches) * STEPS.callSeconds;
	return (load / events) * batches * seconds;
}

/** Isolates that hold a routing table: in the worst case one per concurrent invocation. */
export function routingIsolates(tally: Tally, load: number): number {
	return Math.max(1, Math.ceil(routing(tally, load)));
}

export interface Queries {
	/** Reads of the version of the routing table. */
	version: number;
	/** Reads of endpoint settings by dispatchers. */
	settings: number;
	/** Reads of sources whose copy in KV has expired. */
	sources: number;
}

/** D1 queries per second. `settingsSeconds`: how long a dispatcher trusts what it read. */
export function d1Queries(
	{ endpoints, sources }: Population,
	tally: Tally,
	load: number,
	settingsSeconds: number = STEPS.settingsSeconds,
): Queries {
	return {
		version: STEPS.versionReads * routingIsolates(tally, load),
		settings: STEPS.settingsQueries * sum(endpoints, ({ share }) => readsOf(share * load, settingsSeconds)),
		sources: sum(sources, ({ share }) => readsOf(share * load, STEPS.copySeconds)),
	};
}

/** KV reads per second: each isolate at ingest caches up to a thousand sources for 10 s. */
export function kvReads({ sources }: Population, load: number): number {
	const isolates = Math.max(1, Math.ceil(load / STEPS.isolateRequests));
	const known = (seconds: number): number =>
		sum(sources, ({ share }) => readsOf((share * load) / isolates, seconds) * seconds);
	let seconds: number = STEPS.sourceSeconds;
	// If there are more, the oldest is removed early.
	if (known(seconds) > STEPS.sourcesKept) {
		let [low, high] = [0, seconds];
		for (let halvings = 0; halvings < 30; halvings += 1) {
			seconds = (low + high) / 2;
			if (known(seconds) > STEPS.sourcesKept) high = seconds;
			else low = seconds;
		}
	}
	return isolates * sum(sources, ({ share }) => readsOf((share * load) / isolates, seconds));
}

/** Concurrent exchanges of an endpoint, on average, if nothing limits it. */
export function exchanges({ share, modelSeconds }: Population["endpoints"][number], load: number): number {
	return share * load * modelSeconds;
}

/** The endpoint that needs most of them. */
export function slowestOf({ endpoints }: Population): Population["endpoints"][number] {
	return endpoints.reduce((best, one) => (exchanges(one, 1) > exchanges(best, 1) ? one : best));
}

/** The cost of one event of the whole population, with hands for the endpoints that need them. */
export function unitsOf(population: Population, tally: Tally, load: number, extraAttempts: number): Units {
	const { endpoints, sources } = population;
	const attempts = 1 + extraAttempts;
	const inProcess = LIMITS.connections.low - 1;
	const perSecond = (count: number): number => count / load;
	const awake = sum(endpoints, (endpoint) => 1 - Math.exp(-attempts * exchanges(endpoint, load)));
	const inHands = (endpoint: Population["endpoints"][number]): number =>
		Math.max(0, attempts * exchanges(endpoint, load) - inProcess);
	const hands = sum(endpoints, (endpoint) => inHands(endpoint) / LIMITS.connections.low);
	const calls = (tally.logCalls + tally.dispatcherCalls) / tally.events;
	const bytes = sum([...tally.logs.values()], (log) => log.bytes);
	return {
		messages: 1,
		batches: tally.batches / tally.events,
		logCalls: tally.logCalls / tally.events,
		dispatcherCalls: tally.dispatcherCalls / tally.events,
		handCalls: perSecond(sum(endpoints, (endpoint) => inHands(endpoint) / endpoint.modelSeconds)),
		deliveries: tally.deliveries / tally.events,
		extraAttempts,
		objectSeconds: perSecond(awake + hands) + calls * STEPS.callSeconds,
		alarms: perSecond(sum(endpoints, ({ share }) => readsOf(share * load, ALARM_SECONDS))),
		kvReads: perSecond(kvReads(population, load)),
		kvWrites: perSecond(
			STEPS.copyWrites * sum(sources, ({ share }) => readsOf(share * load, STEPS.copySeconds)),
		),
		logBytes: bytes / tally.events,
	};
}

/** Under load, the alarm of a dispatcher is moved about this often. */
const ALARM_SECONDS = 10;

function sum<T>(items: readonly T[], of: (item: T) => number): number {
	return items.reduce((total, item) => total + of(item), 0);
}
