/**
 * How a protocol handles jobs: a server accepts a job, responds at once, and has the output later.
 * The server posts it to a callback URL (`RequestContext.callbackUrl`), or is polled until the
 * output is ready.
 *
 * A handle is a text of at most 1,024 characters that identifies the job at the server. It comes
 * from the server: a request that is built from it always goes to the origin of the endpoint's URL,
 * whatever the handle contains.
 */
import type { CompletionMode } from "../../store/records.ts";
import type { Exchange, Reading, RequestContext, StepRequest } from "../exchange.ts";

/**
 * The longest handle that is kept, in characters; a longer one counts as missing.
 */
export const MAX_HANDLE_LENGTH = 1_024;

/**
 * Polls the state of the job; then, if that does not carry the output, requests the
 * output.
 */
export type PollStep = "poll" | "result";

export type JobContext = Pick<RequestContext, "url" | "model" | "jobId">;

/** What a server reports about a job. */
export type JobReading =
	/** `retryAfterMs`: when to poll again; null: the server does not say. */
	| { kind: "running"; retryAfterMs: number | null }
	/** It has ended, and the step `result` returns its output. */
	| { kind: "fetch" }
	/** The server no longer knows the job: it has to be started again, at the cost of an attempt. */
	| { kind: "lost"; error: string }
	/** It has ended: the reading says how, as for a response. */
	| { kind: "ended"; reading: Reading };

export interface Jobs {
	/**
	 * The mode for endpoints that do not set one. sync: the output is in the response, unless that
	 * names a job; such a job is polled.
	 */
	defaultMode: CompletionMode;
	/**
	 * Whether a job occupies one of the endpoint's slots until it ends, unless the endpoint's settings
	 * differ.
	 */
	holdsSlot: boolean;
	/**
	 * Reads what the server posted to the callback URL. absent: it is read like a response. The body
	 * is complete.
	 */
	readCallback?(exchange: Exchange): JobReading;
	/** absent: the server cannot be polled. */
	poll?: {
		request(step: PollStep, handle: string, context: JobContext): StepRequest;
		/**
		 * Called for responses that are not 408, 429 or 5xx, after which the router polls again later; in
		 * the step `result` for every response.
		 */
		read(step: PollStep, exchange: Exchange): JobReading;
	};
	/** absent: a job cannot be canceled. The handle is null if the server named none. */
	cancel?(handle: string | null, context: JobContext): StepRequest | null;
}
