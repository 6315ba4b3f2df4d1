/** How old a signed request may be. One rule for every scheme that signs its time. */

/** How far the sender's clock may be off, either way, and how long a request may be replayed. */
const TOLERANCE_SECONDS = 300;

/** `timestamp` is in seconds since the epoch, digits only, as it stands in the request; `now` in ms. */
export function isFresh(timestamp: string, now: number): boolean {
	if (!/^\d{1,12}$/.test(timestamp)) return false;
	return Math.abs(Math.floor(now / 1000) - Number(timestamp)) <= TOLERANCE_SECONDS;
}
