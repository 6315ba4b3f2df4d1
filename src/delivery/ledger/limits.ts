/** How much an endpoint may have waiting, and how much of what comes still fits. Pure. */
import type { IncomingEvent } from "./incoming.ts";

/** An amount of work: what a dispatcher holds, or may hold. */
export interface Load {
	/** Deliveries that have still to be sent, or whose result event has still to be published. */
	deliveries: number;
	/** Of the dispatcher's database, finished deliveries included. */
	bytes: number;
}

/**
 * Of the 10 GB that a Durable Object holds, a fifth stays free for what comes of the deliveries that were taken. Above
 * this the oldest finished deliveries go before their time, and only what is owed counts against it in the end.
 */
export const LIMITS: Load = { deliveries: 1_000_000, bytes: 8_000_000_000 };

/** How many more deliveries may be taken. One call brings some megabytes, so bytes may be passed by that much. */
export function roomFor(held: Load, limits: Load): number {
	return held.bytes > limits.bytes ? 0 : Math.max(0, limits.deliveries - held.deliveries);
}

/** What is owed, or a little more, and how much may be; deliveries. */
export interface Fill {
	owed: number;
	limit: number;
}

const HIGH_SHARE = 0.8;
/** It stays high until it is below this, so that what goes up and down about one mark is told once. */
const LOW_SHARE = 0.7;

/** Whether so much is owed that somebody should know. Bytes do not count: what is finished fills them, and makes room. */
export function isHigh({ owed, limit }: Fill, wasHigh: boolean): boolean {
	return owed >= limit * (wasHigh ? LOW_SHARE : HIGH_SHARE);
}

export interface Split {
	taken: IncomingEvent[];
	refused: IncomingEvent[];
}

/** The first `room` deliveries, and the others. */
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

/** Whether a write failed because the database has no room, rather than by a fault. */
export function isStorageFull(error: unknown): boolean {
	return /SQLITE_FULL|database or disk is full/i.test(String(error));
}
