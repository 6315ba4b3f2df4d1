/**
 * Protocol `bentoml`: a method of a BentoML service, called for an immediate result, or a task
 * whose result is polled. The endpoint's `model` is the method's route if the URL names none. An
 * object holds the method's arguments; bytes are sent unchanged.
 */
import { Buffer } from "node:buffer";
import { inPath, isBare, under, withEnd } from "../requests/address.ts";
import { taskJobs, submitted } from "../jobs/bentoml-tasks.ts";
import type { RequestContext } from "../exchange.ts";
import { JSON_HEADERS, payloadOf } from "../requests/input.ts";
import { readData } from "../responses/output.ts";
import type { ModelInput, ModelRequest, Protocol } from "../protocol.ts";
import { ask, errorTextOf, isSuccess, reading, requestIdOf, stringOf } from "../responses/reading.ts";

export const bentoml: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: isBare,
	request: (input, context) => ({
		method: "POST",
		url: context.completion === "poll" ? under(routeOf(context), "/submit") : routeOf(context),
		...(bytesOf(input) ?? { headers: JSON_HEADERS, body: jsonOf(input) }),
	}),
	read(exchange, { completion }) {
		const requestId = stringOf(exchange.headers["x-bentoml-request-id"]) ?? requestIdOf(exchange);
		if (!isSuccess(exchange)) return reading({ error: errorTextOf(exchange), requestId });
		if (completion === "poll") return reading({ ...submitted(exchange), requestId });
		// The output of a streamed response is its text, joined.
		return reading({ output: readData(exchange), requestId });
	},
	jobs: taskJobs(routeOf),
	ready: {
		// Next to the method's route, which is the last part of the path if the URL names it.
		request: ({ url }) =>
			ask((isBare(url) ? null : withEnd(url, /\/[^/]*$/, "/readyz")) ?? under(url, "/readyz")),
		// A gateway may not have this path, which says nothing about the service.
		isReady: (response) => (response.status === 404 ? null : isSuccess(response)),
	},
};

function routeOf({ url, model }: Pick<RequestContext, "url" | "model">): string {
	return model === null || !isBare(url) ? url : under(url, `/${inPath(model)}`);
}

/**
 * A payload that is neither JSON nor text, with its own content type; null for any other
 * payload.
 */
export function bytesOf(input: ModelInput): Pick<ModelRequest, "headers" | "body"> | null {
	const payload = payloadOf(input);
	if (payload?.kind !== "binary") return null;
	const type = input.event.attributes.datacontenttype ?? "application/octet-stream";
	return { headers: { "content-type": type }, body: Buffer.from(payload.base64, "base64") };
}

function jsonOf(input: ModelInput): string {
	const payload = payloadOf(input);
	if (payload === null) return "{}";
	return payload.kind === "json"
		? payload.text
		: JSON.stringify(payload.kind === "text" ? payload.text : payload.base64);
}
