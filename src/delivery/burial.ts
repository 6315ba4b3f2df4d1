/**
 * Ends the deliveries of a deleted endpoint or subscription, in slices so that other work gets a
 * turn.
 */
import { log } from "../log.ts";
import type { Flights } from "./flights.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { advance, type Delivery } from "./rules/delivery.ts";

/** Deliveries that are ended in one slice. */
export const BURY_AT_ONCE = 200;

/**
 * Ends the next slice of all pending deliveries, regardless of when they are due.
 * Returns how many.
 */
export function buryNext(backlog: Backlog, flights: Flights): number {
	for (let buried = 0; buried < BURY_AT_ONCE; buried++) {
		const delivery =
			backlog.claim("pending", Number.MAX_SAFE_INTEGER, flights.claimed) ??
			backlog.claim("waiting", Number.MAX_SAFE_INTEGER, flights.claimed);
		if (delivery === null) return buried;
		bury(delivery, "The endpoint has been deleted.", flights);
	}
	return BURY_AT_ONCE;
}

/** Ends an unclaimed delivery without sending it. */
export function bury(delivery: Delivery, detail: string, flights: Flights): void {
	const event = { kind: "impossible", reason: "deleted", detail } as const;
	flights.begin(delivery, "send");
	flights.end(advance(delivery, event, { now: Date.now(), random: 0 }).delivery);
}

/** Logs one line for a slice, because thousands of deliveries may end at once. */
export function logBuried(endpointId: string | null, deliveries: number): void {
	if (deliveries > 0) log("dispatcher.buried", { endpoint_id: endpointId, deliveries });
}
