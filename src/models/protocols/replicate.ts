/**
 * Protocol `replicate`: predictions of Replicate, which continue after the response; the output is
 * polled, or posted to a webhook. The endpoint's `model` is `owner/name`, a version
 * (`owner/name:id`, or the id alone), or `deployments/owner/name`. An object holds the prediction's
 * named inputs.
 */
import { endsWith, inPath, under, withoutEnd } from "../requests/address.ts";
import type { Exchange, ReadContext, Reading } from "../exchange.ts";
import { ended, endedInError, handleOf, refusedPoll } from "../jobs/handles.ts";
import { JSON_HEADERS } from "../requests/input.ts";
import type { JobReading, Jobs } from "../jobs/jobs.ts";
import { endOf, inputsOf, type Prediction, webhookOf } from "../families/prediction.ts";
import type { Protocol } from "../protocol.ts";
import { readData } from "../responses/output.ts";
import { errorTextOf, isSuccess, objectIn, reading, requestIdOf, stringOf } from "../responses/reading.ts";
import { waitIn } from "../responses/wait-text.ts";

/** A call whose path names the model or deployment. */
const CALL = /\/(?:models|deployments)\/[^/]+\/[^/]+\/predictions$/;
/** A call that creates a prediction, with or without a name in its path. */
const ANY_CALL = /(?:\/(?:models|deployments)\/[^/]+\/[^/]+)?\/predictions$/;

const jobs: Jobs = {
	defaultMode: "poll",
	// Predictions queue at Replicate, which responds 429 if there are too many.
	holdsSlot: false,
	readCallback(exchange) {
		const job = readJob(exchange);
		// Each attempt starts its own prediction, and one whose response was lost may still report.
		const handle = handleOf(objectIn(exchange)?.["id"]);
		return job.kind === "ended" ? { ...job, reading: { ...job.reading, handle } } : job;
	},
	poll: {
		request: (_step, handle, { url }) => ({
			method: "GET",
			url: predictionUrl(url, handle),
			headers: {},
			body: null,
		}),
		read: (_step, exchange) => (isSuccess(exchange) ? readJob(exchange) : refusedPoll(exchange)),
	},
	cancel(handle, { url }) {
		if (handle === null) return null;
		return { method: "POST", url: under(predictionUrl(url, handle), "/cancel"), headers: {}, body: null };
	},
};

export const replicate: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: (url) => !endsWith(url, CALL),
	request(input, { url, model, callbackUrl }) {
		const made = inputsOf(input);
		if ("misfit" in made) return made;
		const { call, version } = targetOf(url, model ?? "");
		const body = { ...(version !== null && { version }), input: made.inputs, ...webhookOf(callbackUrl) };
		return { method: "POST", url: call, headers: JSON_HEADERS, body: JSON.stringify(body) };
	},
	read(exchange, context) {
		if (!isSuccess(exchange)) {
			const error = errorTextOf(exchange);
			const retryAfterMs = exchange.status === 429 ? waitIn(error ?? "") : null;
			return reading({ error, retryAfterMs, requestId: requestIdOf(exchange) });
		}
		const prediction = objectIn(exchange);
		const facts = factsOf(prediction, exchange);
		const end = endOf(prediction, exchange);
		return reading({ ...(end ?? begun(prediction, exchange, context)), ...facts });
	},
	jobs,
};

/** A version is named in the body; models and deployments have their own paths. */
function targetOf(url: string, model: string): { call: string; version: string | null } {
	if (endsWith(url, CALL)) return { call: url, version: null };
	const base = apiOf(url);
	const version = /^[^/]+$/.test(model) ? model : (/^[^/]+\/[^/:]+:(.+)$/.exec(model)?.[1] ?? null);
	if (version !== null) return { call: under(base, "/predictions"), version };
	const owned = model.startsWith("deployments/") ? model : `models/${model}`;
	return { call: under(base, `/${inPath(owned)}/predictions`), version: null };
}

/** The base URL that the paths of the API are appended to. */
function apiOf(url: string): string {
	const base = withoutEnd(url, ANY_CALL);
	return endsWith(base, /\/v1$/) ? base : under(base, "/v1");
}

function predictionUrl(url: string, id: string): string {
	return under(apiOf(url), `/predictions/${encodeURIComponent(id)}`);
}

/** A body that is not a prediction is left as it is. */
function begun(
	prediction: Prediction | null,
	exchange: Exchange,
	{ completion }: ReadContext,
): Partial<Reading> {
	if (stringOf(prediction?.["status"]) === null) return { output: readData(exchange) };
	const handle = handleOf(prediction?.["id"]);
	if (handle !== null || completion === "callback") return { class: "accepted", handle };
	return { class: "error", error: "The prediction has started, but the response has no id to poll it with." };
}

function readJob(exchange: Exchange): JobReading {
	const prediction = objectIn(exchange);
	const end = endOf(prediction, exchange);
	if (end === null) {
		const isPrediction = stringOf(prediction?.["status"]) !== null;
		return isPrediction
			? { kind: "running", retryAfterMs: null }
			: endedInError(exchange, "The response is not a prediction.");
	}
	// One hour after its end Replicate still has the prediction, but not its output.
	if (end.class === null && prediction?.["data_removed"] === true)
		return { kind: "lost", error: "The prediction has succeeded, but its output has been deleted since." };
	return ended({ ...end, ...factsOf(prediction, exchange) });
}

function factsOf(
	prediction: Prediction | null,
	exchange: Exchange,
): Pick<Reading, "modelVersion" | "requestId"> {
	const version = stringOf(prediction?.["version"]);
	return {
		// The error for models without versions.
		modelVersion: version === "hidden" ? null : version,
		requestId: requestIdOf(exchange) ?? stringOf(prediction?.["id"]),
	};
}
