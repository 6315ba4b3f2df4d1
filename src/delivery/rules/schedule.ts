/**
 * When the next attempt is due: the retry schedule, the back-off from a busy endpoint, and their
 * jitter. Pure; randomness is an argument, from 0 to 1.
 */

/** No wait is longer than a day, whatever an endpoint asks for. */
export const MAX_DELAY_MS = 24 * 60 * 60 * 1000;

const FIRST_BUSY_MS = 1_000;
const LONGEST_BUSY_MS = 60_000;
/** Deliveries that failed together should not be retried together. */
const JITTER = 0.2;

/**
 * Ms until the next attempt, or null if the schedule is used up. `spent` counts the spent attempts
 * including this one: after the first attempt, the first step of the schedule applies.
 * `retryAfterMs` is what the endpoint asked for: the attempt is never earlier than that, unless the
 * endpoint asked for more than a day.
 */
export function nextAttemptDelay(parts: {
	spent: number;
	scheduleSeconds: readonly number[];
	retryAfterMs: number | null;
	random: number;
}): number | null {
	const stepSeconds = parts.scheduleSeconds[parts.spent - 1];
	if (stepSeconds === undefined) return null;
	return delay(stepSeconds * 1000, parts.retryAfterMs, parts.random);
}

/**
 * Ms to wait for a busy endpoint: 1, 2, 4 … 60 s, or longer if it asked for longer. `busyCount`
 * counts the busy responses in a row before this one.
 */
export function busyDelay(parts: { busyCount: number; retryAfterMs: number | null; random: number }): number {
	const backOff = Math.min(FIRST_BUSY_MS * 2 ** parts.busyCount, LONGEST_BUSY_MS);
	return delay(backOff, parts.retryAfterMs, parts.random);
}

/**
 * 1, 2, 4 … s, at most `longestMs`, with 20 % jitter both ways; `count` is the number of earlier
 * waits.
 */
export function backOff(count: number, longestMs: number, random: number): number {
	const own = Math.min(FIRST_BUSY_MS * 2 ** count, longestMs);
	return Math.round(own * (1 - JITTER + 2 * JITTER * random));
}

/** A requested wait varies only upwards, so that the attempt is not early. */
export function jitterUp(askedMs: number, random: number): number {
	return Math.round(askedMs * (1 + JITTER * random));
}

/**
 * The router's own wait varies by 20 % both ways; a requested wait varies only upwards, so that the
 * attempt is not early.
 */
function delay(ownMs: number, askedMs: number | null, random: number): number {
	const own = ownMs * (1 - JITTER + 2 * JITTER * random);
	const asked = (askedMs ?? 0) * (1 + JITTER * random);
	return Math.min(Math.round(Math.max(own, asked)), MAX_DELAY_MS);
}
