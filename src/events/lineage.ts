/** Where an event comes from: the attributes by which result events carry their history through the queue. */
import type { Attributes } from "./event.ts";

/** How many results deep the event is; absent on a publisher's own event. */
export const HOPS_ATTRIBUTE = "sluicehops";
/** The subscriptions the event has come through, ids separated by commas. */
export const CHAIN_ATTRIBUTE = "sluicechain";

/** How many results deep an event is; 0 for a publisher's own. */
export function hopsOf(attributes: Attributes): number {
	return Number(attributes[HOPS_ATTRIBUTE] ?? 0);
}

/** Ids of the subscriptions an event has come through, oldest first. */
export function chainOf(attributes: Attributes): string[] {
	const chain = attributes[CHAIN_ATTRIBUTE];
	return typeof chain === "string" && chain !== "" ? chain.split(",") : [];
}
