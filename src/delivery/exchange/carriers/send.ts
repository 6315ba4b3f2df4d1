/**
 * One HTTP exchange with an endpoint: the only place from which the router calls a model server. It
 * never throws and never waits longer than its deadline; classify.ts decides what the result means.
 */
import type { AttemptResult, OutgoingRequest } from "../../rules/attempt.ts";
import type { FetcherBinding } from "./bindings.ts";
import { describeFetchError } from "./network-error.ts";
import { readResponse } from "../response/read-response.ts";

/** The largest response body that is read: 1 MB (2^20 bytes), after decompression. */
export const MAX_RESPONSE_BYTES = 1_048_576;

export interface SendOptions {
	/** For connecting, headers and body together. */
	timeoutMs: number;
	maxBodyBytes: number;
}

/**
 * Sends `request` and reads the response up to the limit. Redirects are treated as responses and
 * never followed. `through`: a binding that leads somewhere other than the internet; null: none.
 */
export async function send(
	request: OutgoingRequest,
	options: SendOptions,
	through: FetcherBinding | null = null,
): Promise<AttemptResult> {
	const { timeoutMs, maxBodyBytes } = options;
	const startedAt = Date.now();
	// A timer of our own, because AbortSignal.timeout cannot be stopped, and a pending timer keeps a
	// Durable Object in memory and billed until it fires.
	const deadline = new AbortController();
	const timer = setTimeout(() => deadline.abort(), timeoutMs);
	try {
		const { url, method, headers, body } = request;
		const init: RequestInit = {
			method,
			headers,
			...(body !== null && { body }),
			redirect: "manual",
			signal: deadline.signal,
			// Asks for the body undecoded, because response/coding.ts knows more codings than the runtime.
			encodeResponseBody: "manual",
		};
		const response = await (through === null ? fetch(url, init) : through.fetch(url, init));
		const read = await readResponse(response, {
			maxBytes: maxBodyBytes,
			deadline: deadline.signal,
			timeoutMs,
		});
		if (read.failure !== null) deadline.abort();
		return {
			kind: "response",
			status: response.status,
			headers: Object.fromEntries(response.headers),
			...read,
			durationMs: Date.now() - startedAt,
		};
	} catch (error) {
		const failure = deadline.signal.aborted
			? ({ error: "timeout", message: `No response within ${timeoutMs / 1000} s.` } as const)
			: describeFetchError(error);
		deadline.abort();
		return { kind: "no_response", ...failure, durationMs: Date.now() - startedAt };
	} finally {
		clearTimeout(timer);
	}
}
