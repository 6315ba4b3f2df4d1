/**
 * Protocol `http`: any HTTP server. It gets the whole event as one JSON document, or the transform's value alone.
 */
import { STRUCTURED_TYPE, encodeStructured } from "../events/cloudevents/cloudevents.ts";
import { readOutput } from "./output.ts";
import type { Protocol } from "./protocol.ts";

export const http: Protocol = {
	buildRequest({ event, transformed }) {
		return transformed === null
			? { headers: { "content-type": STRUCTURED_TYPE }, body: encodeStructured(event) }
			: { headers: { "content-type": "application/json" }, body: transformed };
	},
	readOutput,
};
