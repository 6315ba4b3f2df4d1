/**
 * What a protocol is: how an event becomes the request of one kind of model server, and what the server's response
 * means. Each protocol is one file and one line in the registry; none of them knows of Durable Objects, signing or
 * retries. What a server can do beyond one exchange (completion by callback or poll, cancelling, a readiness probe,
 * batches) becomes a further member that a protocol may have, beside `request` and `read`.
 */
import type { Attributes, EventData, SluiceEvent } from "../events/event.ts";

/** What is to be sent. */
export interface ModelInput {
	event: SluiceEvent;
	/** JSON text of the transform's value; null when the subscription has no transform. */
	transformed: string | null;
}

/** To whom, and under which id. */
export interface RequestContext {
	/** The endpoint's. */
	url: string;
	/** What the endpoint calls its model; null: nothing. */
	model: string | null;
	/** `dlv_…`, the same on every attempt. */
	deliveryId: string;
}

/**
 * The protocol's part of a request. The sender adds signature, trace context, credentials and the endpoint's headers;
 * a header whose name says that it holds a credential is not taken from a protocol.
 */
export interface ModelRequest {
	method: "POST" | "PUT";
	/** On the origin of the endpoint's URL. */
	url: string;
	headers: Record<string, string>;
	body: string | Uint8Array<ArrayBuffer>;
}

/** Why the input cannot be put into the protocol's form, for whoever writes the transform. */
export interface Misfit {
	misfit: string;
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

/** What a protocol reads out of a response. Whatever is null, the general rules decide. */
export interface Reading {
	/** That a response means success is said by a 2xx status alone, unless this refines it. */
	class: "busy" | "error" | "bad_input" | "unauthorized" | "quota" | "gone" | null;
	/** For busy: whether it speaks for its request alone or for the whole endpoint, as a model that is loading does. */
	scope: "request" | "endpoint" | null;
	output: ModelOutput;
	/** What the server says went wrong. */
	error: string | null;
	/** A wait that headers do not tell. */
	retryAfterMs: number | null;
	usage: Usage | null;
	modelVersion: string | null;
	/** What the server calls the request in its own log. */
	requestId: string | null;
}

export interface Protocol {
	/** What an endpoint gets that does not say it itself; null: what any endpoint gets. */
	defaults: { maxConcurrency: number | null };
	/** Whether an endpoint with this URL has to name its model. */
	needsModel(url: string): boolean;
	request(input: ModelInput, context: RequestContext): ModelRequest | Misfit;
	/** Asked for every response but a 2xx whose body could not be read. */
	read(exchange: Exchange): Reading;
}
