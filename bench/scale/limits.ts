/**
 * How much one object, queue or database can take, and how long a step of the router takes: the figures that the
 * simulation compares with. Each states its origin, also when it was not measured on Cloudflare.
 */

/**
 * published: Cloudflare's documentation, November 2026. measured: on one machine, local workerd or Node. assumed: an
 * estimate. own: a constant of this project.
 */
export type Origin = "published" | "measured" | "assumed" | "own";

export interface Range {
	low: number;
	high: number;
}

/** A limit that is only known as a range is reached somewhere between `low` and `high`. */
export interface Limit extends Range {
	origin: Origin;
}

export const LIMITS = {
	/** Messages per second for one queue. */
	queueMessages: exactly(5_000, "published"),
	/** Bytes that one queue can hold. */
	queueBytes: exactly(25e9, "published"),
	/** Concurrent consumer invocations per queue. */
	consumers: exactly(250, "published"),
	/**
	 * Calls per second for one Durable Object if each of them writes; 1,000 is published for calls that do not.
	 */
	writingCalls: { low: 200, high: 500, origin: "assumed" },
	/** D1 queries per second, at one millisecond each. */
	d1Queries: exactly(1_000, "published"),
	/** Responses that one object can wait for. */
	connections: exactly(6, "published"),
	/** Concurrent exchanges of one endpoint: the maximum of `max_concurrency`, a hundred hands. */
	exchanges: exactly(600, "own"),
	/** Bytes of history that our objects keep, of the 10 GB that they may hold. */
	historyBytes: exactly(8e9, "own"),
	/** The number of events among which a log detects duplicates. */
	window: exactly(100_000, "own"),
	/**
	 * Bytes that the routing table may take of an isolate's 128 MB, counted twice: the old table stays while the new one
	 * is read.
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
	/** Bytes of a successful delivery: row and index (assumed). */
	deliveryBytes: 600,
	/** s from a call of an object to its response, including a write (assumed). */
	callSeconds: 0.01,
	/** s that a batch takes in addition to its calls (assumed). */
	batchSeconds: 0.01,
	/** Reads per second of the version of the routing table, per isolate that routes (own: every 250 ms). */
	versionReads: 4,
	/** s that a dispatcher trusts its settings, and the number of queries that reading them takes (own). */
	settingsSeconds: 30,
	settingsQueries: 2,
	/** Requests per second that one isolate handles at ingest (assumed). */
	isolateRequests: 500,
	/** s that an isolate at ingest caches a source, and how many sources it caches (own). */
	sourceSeconds: 10,
	sourcesKept: 1_000,
	/**
	 * s after which a copy of a source in KV expires, and D1 is read and KV written again (own); under its id and its name.
	 */
	copySeconds: 300,
	copyWrites: 2,
	/**
	 * Bytes of a subscription in the routing table with its endpoint, without its compiled expressions (measured: Node
	 * 24).
	 */
	subscriptionBytes: 850,
	/**
	 * s of D1 per subscription when the table is read (measured: 34 ms for 10,000 by `bench -- routing`).
	 */
	subscriptionReadSeconds: 0.034 / 10_000,
	/** ms of CPU per event at ingest and in the router (measured by `bench -- ingest routing`). */
	cpuMs: 0.3 + 0.08,
	/** s of an outage of the router, or of a publisher's retries, that should be covered (assumed). */
	hour: 3_600,
} as const;
