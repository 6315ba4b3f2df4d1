/**
 * Protocol `openai-embeddings`: a text is one input, a list of texts several; a list of numbers is
 * one input of tokens; anything else is sent as its JSON. The output is the whole response
 * document, with one item of `data` for each input.
 */
import { endsWith } from "../requests/address.ts";
import { JSON_HEADERS, NO_BYTES, NO_DATA, payloadOf, valueOf } from "../requests/input.ts";
import { callUrl, factsOf, listsModel, refusalOf } from "../families/openai.ts";
import { openaiEmbeddingsBatch } from "../batches/openai-embeddings-batch.ts";
import { readData } from "../responses/output.ts";
import type { Protocol } from "../protocol.ts";
import { isObject, objectIn, reading } from "../responses/reading.ts";

const CALL = /\/embeddings$/;

export const openaiEmbeddings: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: (url) => !endsWith(url, CALL),
	request(input, { url, model }) {
		if (payloadOf(input)?.kind === "binary") return NO_BYTES;
		const value = valueOf(input);
		if (value === null) return NO_DATA;
		return {
			method: "POST",
			url: callUrl(url, "/embeddings", endsWith(url, CALL)),
			headers: JSON_HEADERS,
			body: JSON.stringify({ ...contentOf(value), ...(model !== null && { model }) }),
		};
	},
	read(exchange) {
		const refusal = refusalOf(exchange);
		if (refusal !== null) return refusal;
		return reading({ output: readData(exchange), ...factsOf(objectIn(exchange), exchange) });
	},
	ready: listsModel(CALL),
	batch: openaiEmbeddingsBatch((input, context) => openaiEmbeddings.request(input, context)),
	sample: "A sample text.",
};

function contentOf(value: unknown): Record<string, unknown> {
	if (isObject(value) && "input" in value) return { ...value, input: inputsOf(value["input"]) };
	return { input: inputsOf(value) };
}

function inputsOf(value: unknown): unknown[] {
	if (!Array.isArray(value)) return [asText(value)];
	// Token numbers, or a list of such lists.
	if (value.length > 0 && value.every((item) => typeof item === "number")) return [value];
	return value.map((item: unknown) => (Array.isArray(item) ? item : asText(item)));
}

function asText(value: unknown): string {
	return typeof value === "string" ? value : JSON.stringify(value);
}
