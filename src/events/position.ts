/**
 * Positions: numbers that order what one Durable Object has stored, and carry the time it was stored. They are
 * the keys of segments and deliveries, so that the newest come first and a time range is a key range.
 */

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
