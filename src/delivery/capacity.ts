/**
 * How many requests an endpoint may have in flight: additive increase, multiplicative decrease, as TCP does it.
 * Pure; the dispatcher keeps the state and counts the requests.
 */
import type { Endpoint } from "../store/records.ts";
import type { Outcome } from "./attempt.ts";

/** Kept in memory: an object that was lost begins anew with the full limit. */
export interface Capacity {
	/** null: as many as the endpoint allows (`max_concurrency`), so that a change of that number takes effect. */
	limit: number | null;
	/** Successes in a row under this limit. */
	successes: number;
	/** How often the limit has been cut. A request remembers the generation it started in. */
	generation: number;
}

export const fullCapacity: Capacity = { limit: null, successes: 0, generation: 0 };

/** Requests that may be in flight now: from 1 to `max`. */
export function inFlightLimit(capacity: Capacity, max: number): number {
	return Math.min(capacity.limit ?? max, max);
}

/**
 * The capacity after a request that started in `generation` ended with `outcome`. Busy halves the limit, a run of
 * as many successes as the limit raises it by one. Requests from before the last cut change nothing: twenty busy
 * answers to twenty requests of one burst are one signal.
 */
export function adaptCapacity(
	capacity: Capacity,
	ended: { outcome: Outcome; generation: number },
	max: number,
): Capacity {
	if (ended.generation !== capacity.generation) return capacity;
	const limit = inFlightLimit(capacity, max);
	switch (ended.outcome) {
		case "busy":
			return { limit: Math.max(1, Math.floor(limit / 2)), successes: 0, generation: capacity.generation + 1 };
		case "done":
			return afterSuccess(capacity, limit, max);
		case "error":
			return { ...capacity, successes: 0 };
		case "bad_input":
		case "unauthorized":
		case "quota":
		case "gone":
			// Says something about the request or the account, nothing about load.
			return capacity;
	}
}

function afterSuccess(capacity: Capacity, limit: number, max: number): Capacity {
	if (capacity.limit === null) return capacity;
	if (capacity.successes + 1 < limit) return { ...capacity, successes: capacity.successes + 1 };
	return { ...capacity, limit: limit + 1 >= max ? null : limit + 1, successes: 0 };
}

/** One invocation may wait for six response headers at once (Cloudflare's limits page). */
const MAX_CONNECTIONS = 6;

/** How many requests to the endpoint one dispatcher has in flight at the most. */
export function connectionsOf(endpoint: Pick<Endpoint, "maxConcurrency"> | undefined): number {
	return Math.min(endpoint?.maxConcurrency ?? MAX_CONNECTIONS, MAX_CONNECTIONS);
}
