/**
 * Loop detection: whether an event forms a cycle or exceeds max_hops. Pure. The same function decides when an event is
 * routed, and explains the decision when the delivery ends.
 */
import type { Attributes } from "./event.ts";
import { chainOf, hopsOf, MAX_HOPS } from "./lineage.ts";

/** cycle: the event has passed through the subscription before. max_hops: it is deeper than the subscription allows. */
export type LoopCause = "cycle" | "max_hops";

/** The part of a subscription that limits its chains. `result` null: it publishes no results. */
export interface Bounded {
	id: string;
	result: { maxHops: number; allowCycles: boolean } | null;
}

/**
 * Returns null if the event may pass. A subscription that publishes no results ends every chain of results, so an event
 * returns there only when the endpoint itself has posted an event.
 */
export function loopCause(attributes: Attributes, { id, result }: Bounded): LoopCause | null {
	const hops = hopsOf(attributes);
	if (hops === 0) return null;
	if (result?.allowCycles !== true && chainOf(attributes).includes(id)) return "cycle";
	return hops > maxHopsOf(result) ? "max_hops" : null;
}

/**
 * Explains why a delivery is dead with reason `loop`. `result` undefined: the subscription no longer exists. If the
 * subscription has changed since and would now accept the event, the chain shows what the cause was.
 */
export function loopDetail(
	attributes: Attributes,
	{ id, result }: Pick<Bounded, "id"> & { result: Bounded["result"] | undefined },
): string {
	const cause = loopCause(attributes, { id, result: result ?? null });
	const isBack = cause === null ? chainOf(attributes).includes(id) : cause === "cycle";
	if (isBack) return "The event has already passed through this subscription (a cycle).";
	// Release 0.1 kept no more of a refused event than that.
	if (hopsOf(attributes) === 0)
		return "The event had already passed through this subscription, or was too many results deep.";
	const allowed = cause === null || result === undefined ? "" : `, which is ${maxHopsOf(result)}`;
	return `The event is ${hopsOf(attributes)} results deep, more than max_hops of the subscription allows${allowed}.`;
}

function maxHopsOf(result: Bounded["result"]): number {
	return result?.maxHops ?? MAX_HOPS + 1;
}
