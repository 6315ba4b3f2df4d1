/**
 * Positions: numbers that order what one Durable Object has stored, and carry the time it was stored. They are
 * the keys of segments and deliveries, so that the newest come first and a time range is a key range.
 */

/** A stretch of a list, newest first. */
export interface Slice<T> {
	items: T[];
	/**
	 * null: as many items as were asked for, or all there are. Else what lies below this position has not been
	 * looked at, so that the object that holds the list gets to other work in between.
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

/** The first of `count` positions that come after `last`, not before `now`. */
export function nextPosition(last: number, now: number): number {
	return Math.max(last + 1, now * PER_MS);
}

/** When the thing at this position was stored, ms since the epoch. */
export function timeOfPosition(position: number): number {
	return Math.floor(position / PER_MS);
}

/** The first position of a moment. */
export function positionOfTime(ms: number): number {
	return ms * PER_MS;
}

/** What a query asks for by times (ms since the epoch) and, page by page, by position. */
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
