/**
 * Protocol `cog`: containers made by Cog, called for an immediate result or with a webhook. An
 * object holds the prediction's named inputs. The router chooses the prediction's id, so that a
 * repeated request joins one that is still running. The output is the `output` of the prediction.
 */
import { endsWith, under, withEnd } from "../requests/address.ts";
import type { Exchange, Reading } from "../exchange.ts";
import { ended, endedInError, handleOf } from "../jobs/handles.ts";
import { JSON_HEADERS } from "../requests/input.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { readData } from "../responses/output.ts";
import { endOf, inputsOf, type Prediction, usageOf, webhookOf } from "../families/prediction.ts";
import type { Protocol } from "../protocol.ts";
import { ask, errorTextOf, isSuccess, objectIn, reading, stringOf } from "../responses/reading.ts";

const PREDICTIONS = /\/predictions$/;

const jobs: Jobs = {
	defaultMode: "sync",
	// A prediction occupies the container's slot until it ends.
	holdsSlot: true,
	readCallback(exchange) {
		const prediction = objectIn(exchange);
		const end = endOf(prediction, exchange);
		if (end !== null) return ended(end);
		const isPrediction = stringOf(prediction?.["status"]) !== null;
		return isPrediction
			? { kind: "running", retryAfterMs: null }
			: endedInError(exchange, "The callback is not a prediction.");
	},
	// The prediction has the router's id, whether or not the container returned it.
	cancel: (_handle, { url, jobId }) => ({
		method: "POST",
		url: under(predictionUrl(url, jobId), "/cancel"),
		headers: {},
		body: null,
	}),
};

export const cog: Protocol = {
	// A container has one slot unless it was built with more, and refuses further
	// predictions.
	defaults: { maxConcurrency: 1 },
	needsModel: () => false,
	request(input, context) {
		const made = inputsOf(input);
		if ("misfit" in made) return made;
		const { callbackUrl } = context;
		return {
			method: "PUT",
			url: predictionUrl(context.url, context.jobId),
			// Cog 0.23 compares the whole header: with another preference in addition, it waits for the
			// output.
			headers: { ...JSON_HEADERS, ...(callbackUrl !== null && { prefer: "respond-async" }) },
			body: JSON.stringify({ input: made.inputs, ...webhookOf(callbackUrl) }),
		};
	},
	read(exchange, { completion }) {
		if (!isSuccess(exchange)) return reading(refusalOf(exchange));
		const prediction = objectIn(exchange);
		const end = endOf(prediction, exchange);
		if (end !== null) return reading(end);
		const isBegun = exchange.status === 202 || stringOf(prediction?.["status"]) !== null;
		const begins = completion === "callback" && isBegun;
		return reading(begins ? begun(prediction) : unfinished(prediction, exchange));
	},
	jobs,
	ready: {
		request: ({ url }) => ask(withEnd(url, PREDICTIONS, "/health-check") ?? under(url, "/health-check")),
		// The status is 200 for every state: STARTING, BUSY, SETUP_FAILED.
		isReady: (response) => isSuccess(response) && objectIn(response)?.["status"] === "READY",
	},
};

function predictionUrl(url: string, id: string): string {
	return under(url, `${endsWith(url, PREDICTIONS) ? "" : "/predictions"}/${id}`);
}

function refusalOf(exchange: Exchange): Partial<Reading> {
	const error = errorTextOf(exchange);
	if (exchange.status === 409) return { class: "busy", scope: "request", error };
	const isStarting = exchange.status === 503 && /\bsetup has not finished\b/i.test(error ?? "");
	return { error, ...(isStarting && { class: "busy", scope: "endpoint" }) };
}

/**
 * Also for `processing`: a repeated request has joined the earlier prediction, which calls back at
 * the URL of the earlier attempt.
 */
function begun(prediction: Prediction | null): Partial<Reading> {
	return { class: "accepted", handle: handleOf(prediction?.["id"]) };
}

/** A body that is not a finished prediction is left as it is. */
function unfinished(prediction: Prediction | null, exchange: Exchange): Partial<Reading> {
	// It joined a running prediction and has no result: the first request would have
	// got it.
	if (prediction?.["status"] === "processing")
		return { class: "busy", scope: "request", error: "The prediction is still running." };
	return { output: readData(exchange), usage: usageOf(prediction?.["metrics"]) };
}
