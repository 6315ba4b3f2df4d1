/**
 * One exchange with an endpoint: what is sent, the result, and what it means for the delivery.
 * Shapes only.
 */

/** The longest that an exchange may take, ms: the platform ends pending work after 15 minutes. */
export const MAX_TIMEOUT_MS = 840_000;

/** A complete request: nothing is added to it, because the body's bytes are signed. */
export interface OutgoingRequest {
	url: string;
	method: "GET" | "POST" | "PUT" | "DELETE";
	/** Names in lower case. */
	headers: Record<string, string>;
	/** null: none. */
	body: Uint8Array<ArrayBuffer> | null;
	/** Credentials made for this request alone: masked in the response, like those of the endpoint. */
	secrets?: readonly string[] | undefined;
}

export type AttemptResult =
	/**
	 * Status and headers arrived, whether or not the body did. Header names are in lower case.
	 */
	| ({ kind: "response"; status: number; headers: Record<string, string>; durationMs: number } & Body & Sent)
	/**
	 * Not even a status arrived. `message` says what went wrong, in words; `retryAfterMs` how long the endpoint asks
	 * to wait.
	 */
	| ({
			kind: "no_response";
			error: NetworkError;
			message: string;
			durationMs: number;
			retryAfterMs?: number | undefined;
	  } & Sent);

/** What is needed of the request to judge its result. */
type Sent = Pick<OutgoingRequest, "secrets">;

/** The body of a response, decoded. */
export interface Body {
	/**
	 * The whole body, or its beginning if there is a failure; empty if that beginning cannot be
	 * decoded.
	 */
	body: Uint8Array<ArrayBuffer>;
	/** Why the body is not complete; null: it is complete. */
	failure: BodyFailure | null;
}

export interface BodyFailure {
	error: BodyError;
	/** For people to read. */
	message: string;
}

/** Why the body of a response could not be read to its end. */
export type BodyError =
	/** The deadline passed while it was being read. */
	| "timeout"
	/** It ended early. */
	| "cut_off"
	/** It is larger than the limit. */
	| "too_large"
	/**
	 * It does not match its `content-encoding`, or the router does not know that
	 * coding.
	 */
	| "undecodable"
	/** Anything else. */
	| "network";

/**
 * Why there is no response, as precisely as the runtime allows. Workerd reports a refused, a reset
 * and a closed connection in the same words, and hides whether a name lookup or a TLS handshake
 * failed.
 */
export type NetworkError =
	/** The deadline passed. */
	| "timeout"
	/** Refused, reset or closed before a response began. */
	| "connection_lost"
	/** No connection at all: the name does not resolve, or TLS failed. */
	| "unreachable"
	/** The router does not send to this address (url-guard.ts). Nothing was sent. */
	| "blocked_url"
	/** The router lacks the credentials for the request. Nothing was sent. */
	| "no_credentials"
	/** The token endpoint refuses the client, is busy, or returned no token. Nothing was sent. */
	| "token_refused"
	| "token_busy"
	| "token_failed"
	/** The URL names a binding that this deployment does not have. Nothing was sent. */
	| "no_binding"
	/** A bug in the router. Nothing was sent. */
	| "internal"
	/** The object that carried out the exchange was lost, and the response with it. */
	| "lost"
	/** Anything else. */
	| "network";

/** What an attempt means; classify.ts decides. */
export const OUTCOMES = [
	"done",
	/** The server has accepted a job; its output comes later. */
	"accepted",
	"busy",
	"error",
	"bad_input",
	"unauthorized",
	"quota",
	"gone",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * Whether an outcome says something about its request alone, or about the whole endpoint, as a
 * refused connection does.
 */
export type Scope = "request" | "endpoint";
