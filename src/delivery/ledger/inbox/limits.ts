/**
 * How many deliveries an endpoint may have pending, and how many of the new ones fit.
 * Pure.
 */
import type { IncomingEvent } from "./incoming.ts";

/** An amount of work: what a dispatcher holds, or may hold. */
export interface Load {
	/** Deliveries that are not yet sent, or whose result event is not yet published. */
	deliveries: number;
	/** Size of the dispatcher's database, including finished deliveries. */
	bytes: number;
}

/**
 * Of the 10 GB that a Durable Object can hold, a fifth stays free for the outcomes of accepted
 * deliveries. Above this limit the oldest finished deliveries are deleted early, so that in the end
 * only deliveries that are owed count against it.
 */
export const LIMITS: Load = { deliveries: 1_000_000, bytes: 8_000_000_000 };

/**
 * How many more deliveries may be accepted. One call brings several megabytes, so bytes may exceed
 * the limit by that much.
 */
export function roomFor(held: Load, limits: Load): number {
	return held.bytes > limits.bytes ? 0 : Math.max(0, limits.deliveries - held.deliveries);
}

/** How many deliveries are owed (or slightly more), and the limit. */
export interface Fill {
	owed: number;
	limit: number;
}

const HIGH_SHARE = 0.8;
/**
 * The level stays high until it is below this share, so that variation around the threshold is
 * reported once.
 */
const LOW_SHARE = 0.7;

/**
 * Whether so many deliveries are owed that an operator should know. Bytes do not count, because
 * finished deliveries use them and can be deleted.
 */
export function isHigh({ owed, limit }: Fill, wasHigh: boolean): boolean {
	return owed >= limit * (wasHigh ? LOW_SHARE : HIGH_SHARE);
}

export interface Split {
	taken: IncomingEvent[];
	refused: IncomingEvent[];
}

/** The first `room` deliveries, and the rest. */
export function splitAt(items: readonly IncomingEvent[], room: number): Split {
	const split: Split = { taken: [], refused: [] };
	let left = room;
	for (const item of items) {
		const [taken, refused] = [item.decisions.slice(0, left), item.decisions.slice(left)];
		if (taken.length > 0) split.taken.push({ ...item, decisions: taken });
		if (refused.length > 0) split.refused.push({ ...item, decisions: refused });
		left -= taken.length;
	}
	return split;
}

export function countDeliveries(items: readonly IncomingEvent[]): number {
	return items.reduce((count, { decisions }) => count + decisions.length, 0);
}

/** Whether a write failed because the database is full, and not because of a fault. */
export function isStorageFull(error: unknown): boolean {
	return /SQLITE_FULL|database or disk is full/i.test(String(error));
}
