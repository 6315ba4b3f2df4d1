/** Handles of jobs, and what protocols have in common when they ask after one. */
import type { Exchange, Reading } from "./exchange.ts";
import { type JobReading, MAX_HANDLE_LENGTH } from "./jobs.ts";
import { errorTextOf, reading, requestIdOf, stringOf } from "./reading.ts";

/**
 * A server's id of a job; null when the value is none, or is one that no path can carry: too long, no valid text, or
 * the dots that lead elsewhere in a path.
 */
export function handleOf(value: unknown): string | null {
	const id = stringOf(value);
	if (id === null || id.length > MAX_HANDLE_LENGTH || !id.isWellFormed()) return null;
	return id === "." || id === ".." ? null : id;
}

/** Has ended, and the reading says how. */
export function ended(fields: Partial<Reading>): JobReading {
	return { kind: "ended", reading: reading(fields) };
}

/** Has ended in an error; `fallback` stands for what the server does not say. */
export function endedInError(exchange: Exchange, fallback: string): JobReading {
	const error = errorTextOf(exchange) ?? fallback;
	return ended({ class: "error", error, requestId: requestIdOf(exchange) });
}

/**
 * What a response outside 2xx says of the job that was asked after. 410 speaks for the job, and not for the endpoint as
 * it does elsewhere; whatever else is refused would be again, so that only a new job can help.
 */
export function refusedPoll(exchange: Exchange): JobReading {
	const { status } = exchange;
	const error =
		errorTextOf(exchange) ?? `The server responded with ${status} when it was asked after the job.`;
	if (status === 404 || status === 410) return { kind: "lost", error };
	const requestId = requestIdOf(exchange);
	if (status === 402) return ended({ class: "quota", error, requestId });
	const isUnauthorized = status === 401 || status === 403 || status === 407;
	return ended({ class: isUnauthorized ? "unauthorized" : "error", error, requestId });
}
