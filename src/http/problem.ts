/**
 * RFC 9457 problem documents. `Problem` is the only error that a route throws on purpose. Any other exception is a bug,
 * and its response is a 500 without details.
 */

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503;

/** An invalid field: `path` in dotted form ("targets.0.endpoint"), `message` for a person. */
export interface FieldError {
	path: string;
	message: string;
}

/** Seconds, for a 503 that sets no other value. */
const DEFAULT_RETRY_AFTER = "5";

interface ProblemExtras {
	errors?: readonly FieldError[];
	/** Extra response headers, such as `retry-after` or `www-authenticate`. */
	headers?: Record<string, string>;
	cause?: unknown;
}

/** `code` is stable API; `detail` is prose for a person and may change. */
export class Problem extends Error {
	override readonly name = "Problem";
	readonly status: ProblemStatus;
	readonly code: string;
	readonly detail: string;
	readonly errors: readonly FieldError[];
	readonly headers: Record<string, string>;

	constructor(status: ProblemStatus, code: string, detail: string, extras: ProblemExtras = {}) {
		super(`${code}: ${detail}`, { cause: extras.cause });
		this.status = status;
		this.code = code;
		this.detail = detail;
		this.errors = extras.errors ?? [];
		// Some publishers retry only if the response has Retry-After.
		this.headers = { ...(status === 503 && { "retry-after": DEFAULT_RETRY_AFTER }), ...extras.headers };
	}

	toResponse(): Response {
		const { status, code, detail, errors } = this;
		const body = {
			type: "about:blank",
			title: code.replaceAll("_", " "),
			status,
			code,
			detail,
			...(errors.length > 0 && { errors }),
		};
		return Response.json(body, {
			status,
			headers: { ...this.headers, "content-type": "application/problem+json" },
		});
	}
}
