/**
 * An expected refusal as a value: why something is not done, in the words of the HTTP response it becomes. Functions
 * return it; only the API and the route of ingest turn it into a response.
 */
import { Problem, type ProblemStatus } from "./problem.ts";

export interface Refusal {
	ok: false;
	/** 503: nothing is wrong with the request, and it is to be sent again. */
	status: ProblemStatus;
	/** Stable, as in `Problem`. */
	code: string;
	/** Says what is wrong, for a person; never quotes the payload. */
	message: string;
	/** The bad field where there is one: "type", "[3].type". */
	path?: string;
	/** Extra response headers, such as `www-authenticate`. */
	headers?: Record<string, string>;
	/** The error behind it, for the log only. */
	cause?: unknown;
}

export function refuse(status: ProblemStatus, code: string, message: string, path?: string): Refusal {
	return { ok: false, status, code, message, ...(path !== undefined && { path }) };
}

/** For what can be sent again: 503, with the time after which it is worth it, in seconds. */
export function refuseForNow(
	code: string,
	message: string,
	{ retryAfterSeconds = 5, cause }: { retryAfterSeconds?: number; cause?: unknown } = {},
): Refusal {
	const headers = { "retry-after": String(retryAfterSeconds) };
	return { ...refuse(503, code, message), headers, ...(cause !== undefined && { cause }) };
}

export function toProblem({ status, code, message, path, headers = {}, cause }: Refusal): Problem {
	const errors = path === undefined ? [] : [{ path, message }];
	return new Problem(status, code, message, { errors, headers, cause });
}

export function toResponse(refusal: Refusal): Response {
	return toProblem(refusal).toResponse();
}

/** `code: message`, for a log line. */
export function describeRefusal({ code, message }: Refusal): string {
	return `${code}: ${message}`;
}
