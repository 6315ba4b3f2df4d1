/**
 * Protocol `kserve-v1`: KServe's first protocol, TensorFlow Serving, and endpoints of Vertex AI
 * (`:predict`, `:rawPredict`). One record is one instance; a list whose items are all lists or
 * objects is a list of instances. The output is the whole response document.
 */
import { endsWith, inPath, under, withEnd } from "../requests/address.ts";
import { JSON_HEADERS, NO_DATA, valueOf } from "../requests/input.ts";
import { failureOf } from "./open-inference.ts";
import { kserveV1Batch } from "../batches/kserve-v1-batch.ts";
import { readData } from "../responses/output.ts";
import type { Exchange } from "../exchange.ts";
import type { Protocol } from "../protocol.ts";
import { ask, isObject, isSuccess, objectIn, reading, requestIdOf, stringOf } from "../responses/reading.ts";

const CALL = /:(?:predict|rawPredict|explain)$/;

export const kserveV1: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: (url) => !endsWith(url, CALL),
	request(input, { url, model }) {
		const value = valueOf(input);
		if (value === null) return NO_DATA;
		return {
			method: "POST",
			url: endsWith(url, CALL) ? url : under(url, `/v1/models/${inPath(model ?? "")}:predict`),
			headers: JSON_HEADERS,
			body: JSON.stringify(contentOf(value)),
		};
	},
	read(exchange) {
		const requestId = requestIdOf(exchange);
		if (!isSuccess(exchange)) {
			const failure = failureOf(exchange);
			return reading({ ...failure, ...(isExhausted(exchange) && { class: "busy" }), requestId });
		}
		// KServe responds to events with events under an id of its own; the model's output is in the
		// data.
		const modelVersion = stringOf(objectIn(exchange)?.["modelVersionId"]);
		return reading({ output: readData(exchange), modelVersion, requestId });
	},
	ready: {
		request: ({ url, model }) =>
			ask(withEnd(url, CALL, "") ?? under(url, `/v1/models/${inPath(model ?? "")}`)),
		isReady: (response) => (isSuccess(response) ? readyIn(objectIn(response)) : false),
	},
	batch: kserveV1Batch((input, context) => kserveV1.request(input, context)),
	sample: [5.1, 3.5, 1.4, 0.2],
};

/** Google's error for a limit that is currently reached, whatever the status. */
function isExhausted(exchange: Exchange): boolean {
	const error = objectIn(exchange)?.["error"];
	return isObject(error) && error["status"] === "RESOURCE_EXHAUSTED";
}

/**
 * KServe returns `ready`, TensorFlow Serving the state of each version; null: another document, as
 * from Vertex AI.
 */
function readyIn(document: Record<string, unknown> | null): boolean | null {
	const ready = document?.["ready"];
	if (typeof ready === "boolean") return ready;
	// The spelling in the first releases of KServe.
	if (typeof ready === "string") return /^true$/i.test(ready);
	const versions = document?.["model_version_status"];
	if (!Array.isArray(versions)) return null;
	return versions.some((version: unknown) => isObject(version) && version["state"] === "AVAILABLE");
}

function contentOf(value: unknown): Record<string, unknown> {
	if (isObject(value) && "instances" in value) {
		const { instances } = value;
		return { ...value, instances: Array.isArray(instances) ? instances : [instances] };
	}
	const isList = Array.isArray(value) && value.length > 0 && value.every(isRecord);
	return { instances: isList ? value : [value] };
}

function isRecord(value: unknown): boolean {
	return Array.isArray(value) || isObject(value);
}
