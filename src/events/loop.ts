/**
 * Whether an event goes round for ever, and which of the two bounds says so. Pure; the same function decides when an event
 * is routed, and finds the words when its delivery ends.
 */
import type { Attributes } from "./event.ts";
import { chainOf, hopsOf, MAX_HOPS } from "./lineage.ts";

/** cycle: the event is back at the subscription. max_hops: it is deeper than the subscription lets results go. */
export type LoopCause = "cycle" | "max_hops";

/** What of a subscription bounds its chains; `result` null: it publishes none. */
export interface Bounded {
	id: string;
	result: { maxHops: number; allowCycles: boolean } | null;
}

/**
 * null: the event may go on. A subscription that publishes no results ends every chain of results, so an event is only
 * back there when its endpoint has posted what it was sent.
 */
export function loopCause(attributes: Attributes, { id, result }: Bounded): LoopCause | null {
	const hops = hopsOf(attributes);
	if (hops === 0) return null;
	if (result?.allowCycles !== true && chainOf(attributes).includes(id)) return "cycle";
	return hops > maxHopsOf(result) ? "max_hops" : null;
}

/**
 * Why a delivery is dead `loop`, for a person. `result` undefined: nobody knows the subscription any more. When it has
 * been changed since, and would let the event pass by now, the chain says what the cause was.
 */
export function loopDetail(
	attributes: Attributes,
	{ id, result }: Pick<Bounded, "id"> & { result: Bounded["result"] | undefined },
): string {
	const cause = loopCause(attributes, { id, result: result ?? null });
	const isBack = cause === null ? chainOf(attributes).includes(id) : cause === "cycle";
	if (isBack) return "The event came through this subscription before (a cycle).";
	// Release 0.1 kept no more of a refused event than that.
	if (hopsOf(attributes) === 0)
		return "The event had come through this subscription before, or was too many results deep.";
	const allowed = cause === null || result === undefined ? "" : `, which is ${maxHopsOf(result)}`;
	return `The event is ${hopsOf(attributes)} results deep, more than max_hops of the subscription allows${allowed}.`;
}

function maxHopsOf(result: Bounded["result"]): number {
	return result?.maxHops ?? MAX_HOPS + 1;
}
