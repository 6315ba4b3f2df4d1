/**
 * An expected error as a value, with the fields of the HTTP response that it becomes. Functions return it; only the API
 * and the ingest routes convert it to a response.
 */
import { Problem, type ProblemStatus } from "./problem.ts";

export interface Refusal {
	ok: false;
	/** 503: the request is valid and should be sent again. */
	status: ProblemStatus;
	/** Stable API, as in `Problem`. */
	code: string;
	/** Says what is wrong and what to do, for a person. Never quotes the payload. */
	message: string;
	/** The invalid field, if there is one: "type", "[3].type". */
	path?: string;
	/** Extra response headers, such as `www-authenticate`. */
	headers?: Record<string, string>;
	/** The underlying error, for the log only. */
	cause?: unknown;
}

export function refuse(status: ProblemStatus, code: string, message: string, path?: string): Refusal {
	return { ok: false, status, code, message, ...(path !== undefined && { path }) };
}

/** Refuses with 503 and `retry-after`, in seconds, for requests that can be sent again. */
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

/** Returns `code: message`, for a log line. */
export function describeRefusal({ code, message }: Refusal): string {
	return `${code}: ${message}`;
}
