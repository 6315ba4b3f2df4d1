/**
 * Limits the events in flight to what the dispatcher's memory can hold: an event is held as it
 * arrived, as a signed request, and possibly once more for its hand. Large events are therefore
 * sent fewer at a time than `max_concurrency` allows.
 */
import type { Gate } from "./gate.ts";

/**
 * Bytes of events in flight; a Durable Object has 128 MB and holds each event about four times in
 * the worst case.
 */
export const MAX_BYTES = 20_000_000;

export const memory: Gate<null> = {
	name: "memory",
	initial: null,
	admit: (_, { bytesInFlight }) =>
		bytesInFlight < MAX_BYTES ? { slots: Number.POSITIVE_INFINITY } : { slots: 0, until: null },
	after: () => null,
};
