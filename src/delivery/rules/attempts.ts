/** The list of attempts of one delivery: their numbers, and how many of them are kept. Pure. */
import type { Attempt } from "../records.ts";

/**
 * A busy endpoint may be tried hundreds of times; the first and the latest attempts are the useful
 * ones.
 */
const FIRST_KEPT = 20;
const LAST_KEPT = 80;

/** The number of the next attempt, from 1. */
export function nextNumber(attempts: readonly Attempt[]): number {
	return countAttempts(attempts) + 1;
}

/** How many attempts there have been, kept or not. */
export function countAttempts(attempts: readonly Attempt[]): number {
	return attempts.at(-1)?.number ?? 0;
}

/** Keeps the first 20 and the last 80, so that a row stays within its limits. */
export function keepAttempts(attempts: Attempt[]): Attempt[] {
	if (attempts.length <= FIRST_KEPT + LAST_KEPT) return attempts;
	return [...attempts.slice(0, FIRST_KEPT), ...attempts.slice(-LAST_KEPT)];
}

/** Marks that somebody has asked for a retry: the attempts from here on belong to it. */
export function withRetryAsked(attempts: Attempt[]): Attempt[] {
	const last = attempts.at(-1);
	return last === undefined ? attempts : [...attempts.slice(0, -1), { ...last, retryAsked: true }];
}

/** The number of the attempt after which somebody last asked for a retry; 0: nobody has. */
export function retriedAfter(attempts: readonly Pick<Attempt, "number" | "retryAsked">[]): number {
	return attempts.findLast(({ retryAsked }) => retryAsked === true)?.number ?? 0;
}
