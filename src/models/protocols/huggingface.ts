/**
 * Protocol `huggingface`: Inference Endpoints and the inference API, including text generation
 * (TGI) and embeddings (TEI). An object with `inputs` is the request, anything else becomes its
 * `inputs`; bytes are sent unchanged, for images and sound.
 */
import { bytesOf } from "./bentoml.ts";
import { endsWith, inPath, under } from "../requests/address.ts";
import { JSON_HEADERS, NO_DATA, valueOf } from "../requests/input.ts";
import { readData } from "../responses/output.ts";
import { lastOfStream } from "../responses/huggingface-stream.ts";
import { huggingfaceBatch } from "../batches/huggingface-batch.ts";
import type { Exchange, Reading, Usage } from "../exchange.ts";
import type { Protocol } from "../protocol.ts";
import {
	countOf,
	errorTextOf,
	isObject,
	isSuccess,
	objectIn,
	reading,
	requestIdOf,
	textOf,
} from "../responses/reading.ts";

const STREAM = /^\s*text\/event-stream\b/i;
const NAMES_MODEL = /\/models\/.+$/;

export const huggingface: Protocol = {
	defaults: { maxConcurrency: null },
	// A dedicated endpoint has one model and needs no name for it.
	needsModel: () => false,
	request(input, { url, model }) {
		const value = valueOf(input);
		if (value === null) return NO_DATA;
		return {
			method: "POST",
			url: model === null || endsWith(url, NAMES_MODEL) ? url : under(url, `/models/${inPath(model)}`),
			...(bytesOf(input) ?? { headers: JSON_HEADERS, body: JSON.stringify(contentOf(value)) }),
		};
	},
	read(exchange) {
		const requestId = requestIdOf(exchange);
		if (!isSuccess(exchange)) return reading({ ...failureOf(exchange), requestId });
		const usage = usageOf(exchange);
		const isStream = STREAM.test(exchange.headers["content-type"] ?? "");
		const streamed = isStream ? lastOfStream(textOf(exchange.body)) : null;
		if (streamed === null) return reading({ output: readData(exchange), usage, requestId });
		return reading({ ...streamed, ...("error" in streamed && { class: "error" }), usage, requestId });
	},
	batch: huggingfaceBatch((input, context) => huggingface.request(input, context)),
	sample: "A sample text.",
};

function contentOf(value: unknown): Record<string, unknown> {
	if (!isObject(value) || !("inputs" in value)) return { inputs: value };
	return "stream" in value ? { ...value, stream: false } : value;
}

function failureOf(exchange: Exchange): Partial<Reading> {
	const error = errorTextOf(exchange);
	// TGI's word for a generation that was interrupted.
	if (exchange.status === 424) return { class: "error", error };
	if (exchange.status !== 503 || !/\bloading\b/i.test(error ?? "")) return { error };
	const seconds = countOf(objectIn(exchange)?.["estimated_time"]);
	// If the loading time is given, the router waits that long; otherwise it backs off.
	if (seconds === null) return { class: "busy", scope: "endpoint", error };
	return { class: "busy", scope: "request", error, retryAfterMs: 1000 * seconds };
}

/** TGI reports usage in headers. */
function usageOf({ headers }: Exchange): Usage | null {
	const inputTokens = digitsOf(headers["x-prompt-tokens"]);
	const outputTokens = digitsOf(headers["x-generated-tokens"]);
	return inputTokens === null && outputTokens === null ? null : { inputTokens, outputTokens, seconds: null };
}

function digitsOf(text: string | undefined): number | null {
	return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
