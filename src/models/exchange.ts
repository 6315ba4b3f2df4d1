/**
 * The data exchanged between the router and a model server, as protocols see it: the request with the input, other
 * requests, responses, and what is read from them. Shapes only.
 */
import type { Attributes, EventData } from "../events/event.ts";
import type { CompletionMode } from "../store/records.ts";

/** The target of a request, and its delivery id. */
export interface RequestContext {
	/** The endpoint's URL. */
	url: string;
	/** The server's name for the model; null: not set. */
	model: string | null;
	/** `dlv_…`, the same on every attempt. */
	deliveryId: string;
	/** The number of the attempt after which somebody last asked for a retry; absent or 0: nobody has. */
	retriedAfter?: number | undefined;
	/** The router's name for the job; a later job of the same delivery has another. Begins with the delivery's id. */
	jobId: string;
	/** How the endpoint completes. */
	completion: CompletionMode;
	/**
	 * Where the server posts the output once it is ready; null: the endpoint does not complete by
	 * callback.
	 */
	callbackUrl: string | null;
}

/** What a protocol needs to know about the request to read its response. */
export type ReadContext = Pick<RequestContext, "url" | "completion">;

/** A request of a protocol that carries no event: it polls a job or the model, or cancels a job. */
export interface StepRequest {
	method: "GET" | "POST" | "PUT" | "DELETE";
	/** Must be on the origin of the endpoint's URL. */
	url: string;
	headers: Record<string, string>;
	/** null: none. */
	body: string | null;
}

/** A response. Header names are in lower case. */
export interface ModelResponse {
	status: number;
	headers: Record<string, string>;
	/** Complete if the status is 2xx; otherwise as much as arrived. */
	body: Uint8Array<ArrayBuffer>;
}

/** A response, with the endpoint's state at that time. */
export interface Exchange extends ModelResponse {
	/**
	 * Whether the endpoint is still within `cold_start_seconds`, so that something missing may only
	 * not be there yet.
	 */
	isStarting: boolean;
}

/**
 * The output as a payload, or as a whole CloudEvent if the server sent one. null: the response
 * carries none.
 */
export type ModelOutput =
	| { kind: "data"; data: EventData; contentType: string }
	| { kind: "event"; attributes: Attributes; data: EventData | null }
	| null;

/** Usage of a request, as the server counts it. null: it does not say. */
export interface Usage {
	inputTokens: number | null;
	outputTokens: number | null;
	/** Seconds of computing. */
	seconds: number | null;
}

/**
 * What a server reports about a request, as it is stored. Absent fields were not reported, or not
 * read.
 */
export interface Reported {
	usage?: Usage | undefined;
	/** The version of the model that ran. */
	modelVersion?: string | undefined;
	/** The server's id of the request in its own log. */
	requestId?: string | undefined;
}

/** What a protocol reads in a response. For every null field, the general rules apply. */
export interface Reading {
	/**
	 * Success needs a 2xx status, unless this overrides it. accepted: the server has accepted a job,
	 * and its output comes later.
	 */
	class: "accepted" | "busy" | "error" | "bad_input" | "unauthorized" | "quota" | "gone" | null;
	/**
	 * For busy: whether it applies to this request alone or to the whole endpoint, as for a model that
	 * is loading.
	 */
	scope: "request" | "endpoint" | null;
	output: ModelOutput;
	/**
	 * The job that the server has accepted, as `Jobs` understands it; null: it names none.
	 */
	handle: string | null;
	/** The server's error message. */
	error: string | null;
	/** A requested wait that is not in the headers. */
	retryAfterMs: number | null;
	usage: Usage | null;
	modelVersion: string | null;
	/** The server's id of the request in its own log. */
	requestId: string | null;
}
