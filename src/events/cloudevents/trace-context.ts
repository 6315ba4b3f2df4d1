/**
 * Trace context: converts request headers (W3C Trace Context) to the attributes of the CloudEvents extension
 * "Distributed Tracing", and back.
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
	// Fast path: most requests have no trace context.
	const traceparent = headers.get("traceparent");
	return traceparent === null ? {} : validTrace(traceparent, headers.get("tracestate"));
}

export function traceOfAttributes({ traceparent, tracestate }: Attributes): TraceContext {
	return validTrace(traceparent, tracestate);
}

/** Drops invalid values, which receivers must ignore. A tracestate is never sent without traceparent. */
function validTrace(traceparent: unknown, tracestate: unknown): TraceContext {
	if (typeof traceparent !== "string" || !TRACEPARENT.test(traceparent)) return {};
	if (typeof tracestate !== "string" || !TRACESTATE.test(tracestate)) return { traceparent };
	return { traceparent, tracestate };
}
