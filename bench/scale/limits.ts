/**
 * What one object, queue or database bears, and what a step of the router takes: the figures that the simulation
 * compares with. Each says where it comes from; those not measured on Cloudflare say so.
 */

/**
 * published: Cloudflare's documentation, November 2026. measured: on one machine, local workerd or Node. assumed: a
 * judgement. own: a constant of this project.
 */
export type Origin = "published" | "measured" | "assumed" | "own";

export interface Range {
	low: number;
	high: number;
}

/** A limit that is known as a range only counts as reached between `low` and `high`. */
export interface Limit extends Range {
	origin: Origin;
}

export const LIMITS = {
	/** Messages that one queue takes in a second. */
	queueMessages: exactly(5_000, "published"),
	/** Bytes that one queue holds. */
	queueBytes: exactly(25e9, "published"),
	/** Invocations of a consumer at once, for one queue. */
	consumers: exactly(250, "published"),
	/**
	 * Calls a second that one Durable Object takes when each of them writes; 1,000 is published for those that do not.
	 */
	writingCalls: { low: 200, high: 500, origin: "assumed" },
	/** Queries a second of D1, at a millisecond each. */
	d1Queries: exactly(1_000, "published"),
	/** Responses that one object may wait for. */
	connections: exactly(6, "published"),
	/** Exchanges of one endpoint at once: the most that `max_concurrency` may be, a hundred hands. */
	exchanges: exactly(600, "own"),
	/** Bytes of history that an object of ours keeps, of the 10 GB that it may hold. */
	historyBytes: exactly(8e9, "own"),
	/** Events among which a log recognises one that comes again. */
	window: exactly(100_000, "own"),
	/**
	 * Bytes that the routing table may take of an isolate's 128 MB, twice: the old one stands while the new one is
	 * read.
	 */
	tableBytes: exactly(32e6, "assumed"),
} as const satisfies Record<string, Limit>;

function exactly(value: number, origin: Origin): Limit {
	return { low: value, high: value, origin };
}

/** Times and sizes of the router's own steps. */
export const STEPS = {
	/** s that the log keeps an event (own). */
	logSeconds: 7 * 86_400,
	/** s that a finished delivery is kept (own). */
	deliverySeconds: 30 * 86_400,
	/** Bytes of a delivery that has succeeded: row and index (assumed). */
	deliveryBytes: 600,
	/** s from a call of an object to its answer, a write included (assumed). */
	callSeconds: 0.01,
	/** s that a batch takes besides its calls (assumed). */
	batchSeconds: 0.01,
	/** Reads a second of the version of the routing table, for each isolate that routes (own: every 250 ms). */
	versionReads: 4,
	/** s that a dispatcher trusts its settings, and the queries that reading them takes (own). */
	settingsSeconds: 30,
	settingsQueries: 2,
	/** Requests a second that one isolate takes at ingest (assumed). */
	isolateRequests: 500,
	/** s that an isolate at ingest remembers a source, and how many (own). */
	sourceSeconds: 10,
	sourcesKept: 1_000,
	/**
	 * s after which a copy of a source in KV ends, and D1 is read and KV written anew (own); under its id and its name.
	 */
	copySeconds: 300,
	copyWrites: 2,
	/**
	 * Bytes of a subscription in the routing table, its endpoint included, its compiled expressions not (measured: Node
	 * 24).
	 */
	subscriptionBytes: 850,
	/**
	 * s of D1 that reading the table takes, for each subscription (measured: 34 ms for 10,000 by `bench -- routing`).
	 */
	subscriptionReadSeconds: 0.034 / 10_000,
	/** ms of CPU for an event at ingest and in the router (measured by `bench -- ingest routing`). */
	cpuMs: 0.3 + 0.08,
	/** s by which an outage of the router, or a publisher's repetition, should be covered (assumed). */
	hour: 3_600,
} as const;
