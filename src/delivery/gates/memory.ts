/**
 * No more is under way at once than the dispatcher has memory for: an event is held as it came, as a signed request, and
 * maybe once more for its hand. Large events therefore go fewer at a time than `max_concurrency` allows.
 */
import type { Gate } from "./gate.ts";

/** Bytes of events under way; a Durable Object has 128 MB, and holds each of them some four times at the worst. */
export const MAX_BYTES = 20_000_000;

export const memory: Gate<null> = {
	name: "memory",
	initial: null,
	admit: (_, { bytesInFlight }) =>
		bytesInFlight < MAX_BYTES ? { slots: Number.POSITIVE_INFINITY } : { slots: 0, until: null },
	after: () => null,
};
