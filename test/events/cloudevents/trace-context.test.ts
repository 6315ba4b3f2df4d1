import { expect, test } from "vitest";
import { traceOfAttributes, traceOfHeaders } from "../../../src/events/cloudevents/trace-context.ts";

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const tracestate = "rojo=00f067aa0ba902b7";

test.each([
	["both", { traceparent, tracestate }, { traceparent, tracestate }],
	["no state", { traceparent }, { traceparent }],
	["a state alone", { tracestate }, {}],
	["a parent that is none", { traceparent: "00-abc-def-01", tracestate }, {}],
	["a state without end", { traceparent, tracestate: "a".repeat(513) }, { traceparent }],
	["nothing", {}, {}],
])("%s, from headers and from attributes", (_what, given, expected) => {
	expect(traceOfHeaders(new Headers(given))).toEqual(expected);
	expect(traceOfAttributes({ id: "1", source: "/s", type: "t", ...given })).toEqual(expected);
});
