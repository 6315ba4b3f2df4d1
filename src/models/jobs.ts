/**
 * What a protocol knows of jobs: a server that takes one, responds at once, and has the output later. The server posts it
 * to a callback URL (`RequestContext.callbackUrl`), or is asked for it until it has it.
 *
 * A handle is a text of at most 1,024 characters by which the server knows the job. It comes from the server: a request
 * that is built from it goes to the origin of the endpoint's URL, whatever the handle says.
 */
import type { CompletionMode } from "../store/records.ts";
import type { Exchange, Reading, RequestContext, StepRequest } from "./exchange.ts";

/** The longest handle that is kept, in characters; a longer one counts as none. */
export const MAX_HANDLE_LENGTH = 1_024;

/** Asks how the job is; then, where that does not carry the output, for its output. */
export type PollStep = "poll" | "result";

export type JobContext = Pick<RequestContext, "url" | "model" | "deliveryId">;

/** What a server says of a job. */
export type JobReading =
	/** `retryAfterMs`: when it wants to be asked again; null: it does not say. */
	| { kind: "running"; retryAfterMs: number | null }
	/** It has ended, and its output is had by the step `result`. */
	| { kind: "fetch" }
	/** The server does not know the job any more: it has to be begun anew, at the cost of an attempt. */
	| { kind: "lost"; error: string }
	/** It has ended: the reading says how, as one of a response would. */
	| { kind: "ended"; reading: Reading };

export interface Jobs {
	/**
	 * How an endpoint completes that does not say it itself. sync: the output is in the response, unless that names a job;
	 * such a job is polled.
	 */
	defaultMode: CompletionMode;
	/** Whether a job takes one of the endpoint's slots until it ends, unless the endpoint says otherwise. */
	holdsSlot: boolean;
	/**
	 * Reads what the server has posted to the callback URL. absent: it is read as a response is. The body is complete.
	 */
	readCallback?(exchange: Exchange): JobReading;
	/** absent: the server cannot be asked. */
	poll?: {
		request(step: PollStep, handle: string, context: JobContext): StepRequest;
		/**
		 * Asked for responses that are not 408, 429 or 5xx, after which the router asks again later; in the step `result`
		 * for every one.
		 */
		read(step: PollStep, exchange: Exchange): JobReading;
	};
	/** absent: a job cannot be stopped. The handle is null where the server has named none. */
	cancel?(handle: string | null, context: JobContext): StepRequest | null;
}
