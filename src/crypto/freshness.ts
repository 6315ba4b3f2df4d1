/** How old a signed request may be. One rule for every scheme that signs its time. */

/** How far the sender's clock may be off, either way, and how long a request may be replayed. */
export const TOLERANCE_SECONDS = 300;

/**
 * `timestamp` is in seconds since the epoch, digits only, as it stands in the request; `now` in ms. `maxAgeSeconds`
 * is for senders that sign long before they send: it widens only the past.
 */
export function isFresh(timestamp: string, now: number, maxAgeSeconds = TOLERANCE_SECONDS): boolean {
	if (!/^\d{1,12}$/.test(timestamp)) return false;
	const ageSeconds = Math.floor(now / 1000) - Number(timestamp);
	return -TOLERANCE_SECONDS <= ageSeconds && ageSeconds <= maxAgeSeconds;
}
