/** The list of attempts of one delivery: their numbers, the jobs that they began, and how many are kept. Pure. */
import type { Attempt } from "../records.ts";
import type { Delivery } from "./delivery.ts";

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

/**
 * The number of the attempt whose job came before the current one, or before the one that the next attempt begins; 0:
 * none. That job has ended or was given up, so a failure that its server still reports has no effect. An attempt whose
 * response was lost is not one of these, because its server may join the next request to the same job.
 */
export function formerJob(delivery: Pick<Delivery, "state" | "attempts">): number {
	const present = beganJob(delivery)?.number ?? Number.POSITIVE_INFINITY;
	const isFormer = ({ number, outcome }: Attempt): boolean => outcome === "accepted" && number < present;
	return delivery.attempts.findLast(isFormer)?.number ?? 0;
}

/**
 * The attempt that began the job that the delivery waits for; undefined: it waits for none. Not always the last one:
 * the outcome of a request that was considered lost may be recorded after it.
 */
export function beganJob({ state, attempts }: Pick<Delivery, "state" | "attempts">): Attempt | undefined {
	if (state.phase !== "waiting") return undefined;
	const { attempt } = state.job;
	return attempt === undefined
		? attempts.findLast(({ outcome }) => outcome === "accepted")
		: attempts.find(({ number }) => number === attempt);
}

/**
 * The router's own name for the current or next job, for servers that let the client choose it: the delivery's id, and
 * for later jobs also the number of the attempt before. A request whose response was lost is repeated under the same
 * name.
 */
export function jobIdOf(delivery: Pick<Delivery, "id" | "state" | "attempts">): string {
	const former = formerJob(delivery);
	return former === 0 ? delivery.id : `${delivery.id}-${former}`;
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

/** Marks that a retry was requested: all later attempts belong to it. */
export function withRetryAsked(attempts: Attempt[]): Attempt[] {
	const last = attempts.at(-1);
	return last === undefined ? attempts : [...attempts.slice(0, -1), { ...last, retryAsked: true }];
}

/** The number of the attempt after which a retry was last requested; 0: none was requested. */
export function retriedAfter(attempts: readonly Pick<Attempt, "number" | "retryAsked">[]): number {
	return attempts.findLast(({ retryAsked }) => retryAsked === true)?.number ?? 0;
}
