/** Handles of jobs, and what protocols have in common when they poll a job. */
import type { Exchange, Reading } from "../exchange.ts";
import { type JobReading, MAX_HANDLE_LENGTH } from "./jobs.ts";
import { errorTextOf, reading, requestIdOf, stringOf } from "../responses/reading.ts";

/**
 * A server's id of a job; null if the value is not an id, or cannot be part of a path: it is too
 * long, not valid text, or consists of dots that would change the path.
 */
export function handleOf(value: unknown): string | null {
	const id = stringOf(value);
	if (id === null || id.length > MAX_HANDLE_LENGTH || !id.isWellFormed()) return null;
	return id === "." || id === ".." ? null : id;
}

/** The job has ended as the reading says. */
export function ended(fields: Partial<Reading>): JobReading {
	return { kind: "ended", reading: reading(fields) };
}

/**
 * The job has ended in an error; `fallback` is used if the server gives no message.
 */
export function endedInError(exchange: Exchange, fallback: string): JobReading {
	const error = errorTextOf(exchange) ?? fallback;
	return ended({ class: "error", error, requestId: requestIdOf(exchange) });
}

/**
 * What a response outside 2xx to a poll means for the job. 410 is about the job, and not about the
 * endpoint as elsewhere; every other refusal would be repeated, so only a new job can help.
 */
export function refusedPoll(exchange: Exchange): JobReading {
	const { status } = exchange;
	const error = errorTextOf(exchange) ?? `The server responded with ${status} to a poll of the job.`;
	if (status === 404 || status === 410) return { kind: "lost", error };
	const requestId = requestIdOf(exchange);
	if (status === 402) return ended({ class: "quota", error, requestId });
	const isUnauthorized = status === 401 || status === 403 || status === 407;
	return ended({ class: isUnauthorized ? "unauthorized" : "error", error, requestId });
}
