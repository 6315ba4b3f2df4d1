/**
 * What passes between the router and a model server, as protocols see it: requests beside the one that carries the input,
 * responses, and what is read out of them. Shapes only.
 */
import type { Attributes, EventData } from "../events/event.ts";
import type { CompletionMode } from "../store/records.ts";

/** To whom, and under which id. */
export interface RequestContext {
	/** The endpoint's. */
	url: string;
	/** What the endpoint calls its model; null: nothing. */
	model: string | null;
	/** `dlv_…`, the same on every attempt. */
	deliveryId: string;
	/** How the endpoint completes. */
	completion: CompletionMode;
	/** Where the server posts the output when it has it; null: the endpoint does not complete by callback. */
	callbackUrl: string | null;
}

/** What a protocol has to know of the request whose response it reads. */
export type ReadContext = Pick<RequestContext, "url" | "completion">;

/** A request of a protocol that carries no event: it asks after a job or the model, or cancels a job. */
export interface StepRequest {
	method: "GET" | "POST" | "PUT" | "DELETE";
	/** On the origin of the endpoint's URL. */
	url: string;
	headers: Record<string, string>;
	/** null: none. */
	body: string | null;
}

/** A response. Header names are lower-case. */
export interface ModelResponse {
	status: number;
	headers: Record<string, string>;
	/** Complete when the status is 2xx; else as much of it as came. */
	body: Uint8Array<ArrayBuffer>;
}

/** A response, and what is known of its moment. */
export interface Exchange extends ModelResponse {
	/** Whether the endpoint is still within `cold_start_seconds`, so that what is missing may only not be there yet. */
	isStarting: boolean;
}

/** The output as a payload, or as a whole CloudEvent when the server sent one. null: the response carries none. */
export type ModelOutput =
	| { kind: "data"; data: EventData; contentType: string }
	| { kind: "event"; attributes: Attributes; data: EventData | null }
	| null;

/** What a request has used, as the server counts. null: it does not say. */
export interface Usage {
	inputTokens: number | null;
	outputTokens: number | null;
	/** Of computing. */
	seconds: number | null;
}

/** What a server says of its work on a request, as it is kept. What is absent it does not say, or nobody has read. */
export interface Reported {
	usage?: Usage | undefined;
	/** Of the model that ran. */
	modelVersion?: string | undefined;
	/** What the server calls the request in its own log. */
	requestId?: string | undefined;
}

/** What a protocol reads out of a response. Whatever is null, the general rules decide. */
export interface Reading {
	/**
	 * That a response means success is said by a 2xx status alone, unless this refines it. accepted: the server has taken
	 * a job, and its output comes later.
	 */
	class: "accepted" | "busy" | "error" | "bad_input" | "unauthorized" | "quota" | "gone" | null;
	/** For busy: whether it speaks for its request alone or for the whole endpoint, as a model that is loading does. */
	scope: "request" | "endpoint" | null;
	output: ModelOutput;
	/** The job that the server has taken, as `Jobs` understands it; null: it names none. */
	handle: string | null;
	/** What the server says went wrong. */
	error: string | null;
	/** A wait that headers do not tell. */
	retryAfterMs: number | null;
	usage: Usage | null;
	modelVersion: string | null;
	/** What the server calls the request in its own log. */
	requestId: string | null;
}
