/**
 * The trace that an event belongs to: from the headers of a request (W3C Trace Context) into the attributes of the
 * CloudEvents extension "Distributed Tracing", and out again.
 */
import type { Attributes } from "../event.ts";

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** For attributes and headers alike, which have the same names. */
export interface TraceContext {
	traceparent?: string;
	tracestate?: string;
}

export function traceOfHeaders(headers: Headers): TraceContext {
	// Most requests have none: one look at the headers tells.
	const traceparent = headers.get("traceparent");
	return traceparent === null ? {} : validTrace(traceparent, headers.get("tracestate"));
}

export function traceOfAttributes({ traceparent, tracestate }: Attributes): TraceContext {
	return validTrace(traceparent, tracestate);
}

/** What is not Trace Context is left out, as a receiver would have to ignore it; a state never goes alone. */
function validTrace(traceparent: unknown, tracestate: unknown): TraceContext {
	if (typeof traceparent !== "string" || !TRACEPARENT.test(traceparent)) return {};
	if (typeof tracestate !== "string" || !TRACESTATE.test(tracestate)) return { traceparent };
	return { traceparent, tracestate };
}
