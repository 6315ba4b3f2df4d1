/**
 * Protocol `http`: any HTTP server. It gets the whole event as one JSON document, or only the
 * transform's output. If the endpoint is polled, a 202 names the URL where the output is available
 * later.
 */
import { STRUCTURED_TYPE, encodeStructured } from "../../events/cloudevents/cloudevents.ts";
import { readOutput } from "../responses/output.ts";
import { JSON_HEADERS } from "../requests/input.ts";
import type { Exchange, ReadContext, Reading } from "../exchange.ts";
import type { Protocol } from "../protocol.ts";
import { isSuccess, reading, requestIdOf } from "../responses/reading.ts";
import { acceptedJob, requestReplyJobs } from "../jobs/request-reply.ts";

export const http: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: () => false,
	request: ({ event, transformed }, { url }) =>
		transformed === null
			? { method: "POST", url, headers: { "content-type": STRUCTURED_TYPE }, body: encodeStructured(event) }
			: { method: "POST", url, headers: JSON_HEADERS, body: transformed },
	read: readPlainly,
	jobs: requestReplyJobs,
};

/** Status and headers decide; the output is the body. */
export function readPlainly(exchange: Exchange, context: ReadContext): Reading {
	const output = isSuccess(exchange) ? readOutput(exchange) : null;
	return reading({ output, ...acceptedJob(exchange, context), requestId: requestIdOf(exchange) });
}
