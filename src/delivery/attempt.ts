/**
 * One exchange with an endpoint: what is sent, what came of it, and what that means for the delivery. No code.
 */

/** A request ready to go: nothing is added to it any more, because the body's bytes are signed. */
export interface OutgoingRequest {
	url: string;
	method: "POST";
	/** Names in lower case. */
	headers: Record<string, string>;
	body: Uint8Array<ArrayBuffer>;
}

export type AttemptResult =
	/** A complete response of any status. Header names are in lower case. */
	| {
			kind: "response";
			status: number;
			headers: Record<string, string>;
			body: Uint8Array<ArrayBuffer>;
			durationMs: number;
	  }
	/** `message` says what went wrong, for a person. */
	| { kind: "no_response"; error: NetworkError; message: string; durationMs: number };

/**
 * Why there is no complete response; as fine as the runtime lets us tell. Workerd reports a refused, a reset and
 * a closed connection in the same words, and hides whether a name lookup or a TLS handshake failed.
 */
export type NetworkError =
	/** The deadline passed, whichever part of the exchange was under way. */
	| "timeout"
	/** Refused, reset or closed before a response began. */
	| "connection_lost"
	/** No connection at all: the name does not resolve, or TLS failed. */
	| "unreachable"
	/** The body ended early or could not be decoded. */
	| "cut_off"
	/** The body is larger than the limit. */
	| "too_large"
	/** The address is not one the router sends to (url-guard.ts). Nothing was sent. */
	| "blocked_url"
	/** Anything else. */
	| "network";

/** What an attempt means for its delivery; classify.ts decides. */
export const OUTCOMES = ["done", "busy", "error", "bad_input", "unauthorized", "quota", "gone"] as const;
export type Outcome = (typeof OUTCOMES)[number];
