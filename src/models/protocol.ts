/**
 * What a protocol is: how an event becomes the request of one kind of model server, and how the server's answer
 * is read. Each protocol is one file and one line in the registry; none of them knows of Durable Objects,
 * signing or retries.
 */
import type { Attributes, EventData, SluiceEvent } from "../events/event.ts";

/** What is to be sent. */
export interface ModelInput {
	event: SluiceEvent;
	/** JSON text of the transform's value; null when the subscription has no transform. */
	transformed: string | null;
}

/** The protocol's part of a request; the sender adds signature, trace context, auth and the endpoint's headers. */
export interface ModelRequest {
	headers: Record<string, string>;
	body: string | Uint8Array<ArrayBuffer>;
}

/** A complete 2xx answer. Header names are lower-case. */
export interface ModelAnswer {
	status: number;
	headers: Record<string, string>;
	body: Uint8Array<ArrayBuffer>;
}

/** The answer as a payload, or as a whole CloudEvent when the server replied with one. null: it carries none. */
export type ModelOutput =
	| { kind: "data"; data: EventData; contentType: string }
	| { kind: "event"; attributes: Attributes; data: EventData | null }
	| null;

export interface Protocol {
	buildRequest(input: ModelInput): ModelRequest;
	readAnswer(answer: ModelAnswer): ModelOutput;
}
