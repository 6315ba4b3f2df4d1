/** How old a signed request may be. One rule for every scheme that signs its time. */

/** How far the sender's clock may be off, either way, and how long a request may be replayed. */
export const TOLERANCE_SECONDS = 300;

/** From here on digits are milliseconds: as seconds they would be the year 5138, as milliseconds they are 1973. */
const FIRST_MILLISECONDS = 100_000_000_000;

/**
 * `timestamp` is a time since the epoch, digits only, as it stands in the request: in seconds, or in ms where it has 12
 * digits or more; `now` in ms. `maxAgeSeconds` is wider for senders that sign long before they send.
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
