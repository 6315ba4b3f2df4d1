/**
 * The trace that a request belongs to, from its headers (W3C Trace Context) into the attributes of the CloudEvents
 * extension "Distributed Tracing".
 */
import { isAttributeText } from "./attributes.ts";

/** W3C Trace Context, section 3.2. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
/** Section 3.3.1.5 asks for 512 at the least; more than this helps nobody. */
const MAX_LENGTH = 1_024;

/** Empty where there is none, or none that can be an attribute; a state alone means nothing. */
export function traceContextOf(headers: Headers): { traceparent?: string; tracestate?: string } {
	const traceparent = headers.get("traceparent");
	if (traceparent === null || !TRACEPARENT.test(traceparent) || !isUsable(traceparent)) return {};
	const tracestate = headers.get("tracestate");
	return { traceparent, ...(tracestate !== null && isUsable(tracestate) && { tracestate }) };
}

function isUsable(text: string): boolean {
	return text !== "" && text.length <= MAX_LENGTH && isAttributeText(text);
}
