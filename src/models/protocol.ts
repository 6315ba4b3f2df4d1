/**
 * What a protocol is: how an event becomes the request of one kind of model server, and how the server's
 * response is read as the model's output. Each protocol is one file and one line in the registry; none of them knows of Durable Objects,
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

/** A complete 2xx response. Header names are lower-case. */
export interface ModelResponse {
	status: number;
	headers: Record<string, string>;
	body: Uint8Array<ArrayBuffer>;
}

/** The output as a payload, or as a whole CloudEvent when the server sent one. null: the response carries none. */
export type ModelOutput =
	| { kind: "data"; data: EventData; contentType: string }
	| { kind: "event"; attributes: Attributes; data: EventData | null }
	| null;

export interface Protocol {
	buildRequest(input: ModelInput): ModelRequest;
	readOutput(response: ModelResponse): ModelOutput;
}
