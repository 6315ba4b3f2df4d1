/**
 * Positions: numbers that order the rows of one Durable Object and encode when each was stored. They are the keys of
 * segments and deliveries, so that a list can start with the newest and a time range is a key range.
 */

/** Part of a list, newest first. */
export interface Slice<T> {
	items: T[];
	/**
	 * null: the list is complete, or has as many items as requested. Otherwise positions below this one have not been
	 * scanned yet, so that the object can do other work in between.
	 */
	rest: number | null;
}

/** Positions from `since` up to, not including, `before`. */
export interface Range {
	since: number;
	before: number;
}

/** Positions within one millisecond; 2^53 of them last until the year 2248. */
const PER_MS = 1024;

/** Returns the next position after `last`, not before `now` (ms). */
export function nextPosition(last: number, now: number): number {
	return Math.max(last + 1, now * PER_MS);
}

/** Returns when the row at this position was stored, ms since the epoch. */
export function timeOfPosition(position: number): number {
	return Math.floor(position / PER_MS);
}

/** Returns the first position of a time (ms since the epoch). */
export function positionOfTime(ms: number): number {
	return ms * PER_MS;
}

/** Returns the range of a query by times (ms since the epoch) and, for later pages, by position. */
export function rangeOf({
	since,
	until,
	before,
}: {
	since?: number;
	until?: number;
	before?: number;
}): Range {
	return {
		since: since === undefined ? 0 : positionOfTime(since),
		before: Math.min(
			before ?? Number.MAX_SAFE_INTEGER,
			until === undefined ? Number.MAX_SAFE_INTEGER : positionOfTime(until),
		),
	};
}
