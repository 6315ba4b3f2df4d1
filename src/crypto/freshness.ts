/** How old a signed request may be. The same rule for every scheme that signs a timestamp. */

/** How far the sender's clock may be off in either direction, and how long a request can be replayed. */
export const TOLERANCE_SECONDS = 300;

/** Larger values are milliseconds: as seconds this would be the year 5138, as milliseconds it is 1973. */
const FIRST_MILLISECONDS = 100_000_000_000;

/**
 * `timestamp` is the request's time since the epoch, digits only: in seconds, or in ms if it has 12 digits or more.
 * `now` in ms. `maxAgeSeconds` is larger for senders that sign long before they send.
 */
export function isFresh(
	timestamp: string,
	now: number,
	maxAgeSeconds = TOLERANCE_SECONDS,
	maxAheadSeconds = TOLERANCE_SECONDS,
): boolean {
	if (!/^\d{1,15}$/.test(timestamp)) return false;
	const value = Number(timestamp);
	const seconds = value < FIRST_MILLISECONDS ? value : Math.floor(value / 1000);
	const ageSeconds = Math.floor(now / 1000) - seconds;
	return -maxAheadSeconds <= ageSeconds && ageSeconds <= maxAgeSeconds;
}
