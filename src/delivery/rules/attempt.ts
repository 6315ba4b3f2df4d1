/**
 * One exchange with an endpoint: what is sent, what came of it, and what that means for the delivery. Shapes only.
 */

/** The longest that an exchange may take, ms: the platform ends pending work after 15 minutes. */
export const MAX_TIMEOUT_MS = 840_000;

/** A request ready to go: nothing is added to it any more, because the body's bytes are signed. */
export interface OutgoingRequest {
	url: string;
	method: "GET" | "POST" | "PUT" | "DELETE";
	/** Names in lower case. */
	headers: Record<string, string>;
	/** null: none. */
	body: Uint8Array<ArrayBuffer> | null;
	/** Credentials in it that were made for it alone: hidden in what the server responds, as those of its endpoint are. */
	secrets?: readonly string[] | undefined;
}

export type AttemptResult =
	/** Status and headers came, whatever became of the body. Header names are in lower case. */
	| ({ kind: "response"; status: number; headers: Record<string, string>; durationMs: number } & Body & Sent)
	/** Not even a status. `message` says what went wrong, for a person; `retryAfterMs` how long it asks to wait. */
	| ({
			kind: "no_response";
			error: NetworkError;
			message: string;
			durationMs: number;
			retryAfterMs?: number | undefined;
	  } & Sent);

/** What the one who judges a result has to know of its request. */
type Sent = Pick<OutgoingRequest, "secrets">;

/** The body of a response, decoded. */
export interface Body {
	/** The whole body, or its beginning when there is a failure; empty when that beginning cannot be decoded. */
	body: Uint8Array<ArrayBuffer>;
	/** Why the body is not complete; null: it is. */
	failure: BodyFailure | null;
}

export interface BodyFailure {
	error: BodyError;
	/** For people to read. */
	message: string;
}

/** Why the body of a response could not be read to its end. */
export type BodyError =
	/** The deadline passed while it came. */
	| "timeout"
	/** It ended early. */
	| "cut_off"
	/** It is larger than the limit. */
	| "too_large"
	/** It is not what its `content-encoding` says, or that is none the router knows. */
	| "undecodable"
	/** Anything else. */
	| "network";

/**
 * Why there is no response; as fine as the runtime lets us tell. Workerd reports a refused, a reset and a closed
 * connection in the same words, and hides whether a name lookup or a TLS handshake failed.
 */
export type NetworkError =
	/** The deadline passed. */
	| "timeout"
	/** Refused, reset or closed before a response began. */
	| "connection_lost"
	/** No connection at all: the name does not resolve, or TLS failed. */
	| "unreachable"
	/** The address is not one the router sends to (url-guard.ts). Nothing was sent. */
	| "blocked_url"
	/** The router lacks what it needs to prove who it is. Nothing was sent. */
	| "no_credentials"
	/** The endpoint that gives access tokens refuses the client, is busy, or gave none. Nothing was sent. */
	| "token_refused"
	| "token_busy"
	| "token_failed"
	/** The URL names a binding that this deployment does not have. Nothing was sent. */
	| "no_binding"
	/** A bug of ours. Nothing was sent. */
	| "internal"
	/** The object that carried out the exchange was lost, and with it whatever the server said. */
	| "lost"
	/** Anything else. */
	| "network";

/** What an attempt means; classify.ts decides. */
export const OUTCOMES = [
	"done",
	/** The server has taken a job; its output comes later. */
	"accepted",
	"busy",
	"error",
	"bad_input",
	"unauthorized",
	"quota",
	"gone",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Whether an outcome speaks for its request alone, or for the whole endpoint, as a refused connection does. */
export type Scope = "request" | "endpoint";
