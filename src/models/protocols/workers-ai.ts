/**
 * Protocol `workers-ai`: a Workers AI model through the Worker's own binding, at
 * `workers-ai:@cf/author/model`. An object is the input itself; for anything else the model's
 * family decides which member of the input it becomes.
 * https://developers.cloudflare.com/workers-ai/models/
 */
import { Buffer } from "node:buffer";
import { readBindingUrl } from "../requests/binding-url.ts";
import { JSON_HEADERS, NO_DATA, payloadOf, valueOf } from "../requests/input.ts";
import { readData } from "../responses/output.ts";
import type { Exchange, Reading, Usage } from "../exchange.ts";
import type { Misfit, ModelInput, Protocol } from "../protocol.ts";
import {
	countOf,
	errorTextOf,
	isObject,
	isSuccess,
	objectIn,
	reading,
	stringOf,
} from "../responses/reading.ts";

export const workersAi: Protocol = {
	defaults: { maxConcurrency: null },
	// The URL names the model.
	needsModel: () => false,
	scheme: "workers-ai",
	request(input, { url }) {
		const target = readBindingUrl(url);
		const family = familyOf(target?.scheme === "workers-ai" ? target.model : "");
		const made = inputsOf(input, family);
		return "misfit" in made
			? made
			: { method: "POST", url, headers: JSON_HEADERS, body: JSON.stringify(made.inputs) };
	},
	read(exchange) {
		if (!isSuccess(exchange)) return refusalOf(exchange);
		const document = objectIn(exchange);
		return reading({
			output: readData(exchange),
			usage: usageOf(document?.["usage"]),
			modelVersion: stringOf(document?.["model"]),
			requestId: stringOf(document?.["id"]),
		});
	},
};

/**
 * Which input member takes which kind of value; null: the model does not accept
 * this kind.
 */
interface Family {
	text: string | null;
	/** A list of texts, or of messages. */
	texts: string | null;
	messages: string | null;
	bytes: { member: string; as: "base64" | "numbers" } | null;
}

const NONE: Family = { text: null, texts: null, messages: null, bytes: null };
const TEXT: Family = { ...NONE, text: "text" };
const IMAGE: Family = { ...NONE, bytes: { member: "image", as: "numbers" } };

/** The first match wins; models without a match generate text. */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
	[/rerank/, NONE],
	[/\/(?:bge-|plamo-embedding|embeddinggemma|qwen3-embedding)/, { ...TEXT, texts: "text" }],
	[/\/whisper-large-v3-turbo/, { ...NONE, bytes: { member: "audio", as: "base64" } }],
	[/\/whisper/, { ...NONE, bytes: { member: "audio", as: "numbers" } }],
	[/\/(?:resnet|detr-resnet)/, IMAGE],
	[/\/(?:uform|llava)/, { ...IMAGE, text: "prompt" }],
	[/\/(?:distilbert|m2m100|indictrans|aura)/, TEXT],
	[/\/bart-large-cnn/, { ...NONE, text: "input_text" }],
	[/\/gpt-oss/, { ...NONE, text: "input", messages: "input" }],
	[/\/(?:flux|stable-diffusion|dreamshaper|lucid-origin|phoenix|melotts)/, { ...NONE, text: "prompt" }],
];
const GENERATES_TEXT: Family = { ...NONE, text: "prompt", messages: "messages" };

function familyOf(model: string): Family {
	return FAMILIES.find(([pattern]) => pattern.test(model))?.[1] ?? GENERATES_TEXT;
}

type Inputs = { inputs: Record<string, unknown> } | Misfit;

function inputsOf(input: ModelInput, family: Family): Inputs {
	const payload = payloadOf(input);
	if (payload?.kind === "binary") return bytesOf(payload.base64, family);
	const value = valueOf(input);
	if (value === null) return NO_DATA;
	if (isMessage(value)) return under(family.messages, [value], "a message");
	if (isObject(value)) return { inputs: "stream" in value ? { ...value, stream: false } : value };
	if (!Array.isArray(value)) return under(family.text, asText(value), "a text");
	if (value.length > 0 && value.every(isMessage)) return under(family.messages, value, "a list of messages");
	if (value.length > 0 && value.every((item) => typeof item === "string")) {
		return under(family.texts, value, "a list of texts");
	}
	return { misfit: "a list must contain messages, or texts for embeddings" };
}

function under(member: string | null, value: unknown, what: string): Inputs {
	if (member !== null) return { inputs: { [member]: value } };
	return {
		misfit: `this model does not accept ${what} alone: use a transform to make the input object`,
	};
}

function bytesOf(base64: string, { bytes }: Family): Inputs {
	if (bytes === null)
		return { misfit: "this model does not accept bytes: use a transform to make the input object" };
	const value = bytes.as === "base64" ? base64 : [...Buffer.from(base64, "base64")];
	return { inputs: { [bytes.member]: value } };
}

function isMessage(value: unknown): boolean {
	return isObject(value) && typeof value["role"] === "string" && "content" in value;
}

function asText(value: unknown): string {
	return typeof value === "string" ? value : JSON.stringify(value);
}

/** The daily allocation is used up; retrying on the same day is useless. */
const QUOTA = new Set([3036, 4006]);
const OUT_OF_CAPACITY = 3040;

/**
 * The format of Cloudflare's REST API, into which the router also converts errors of the
 * binding.
 */
function refusalOf(exchange: Exchange): Reading {
	const errors = objectIn(exchange)?.["errors"];
	const first: unknown = Array.isArray(errors) ? errors[0] : null;
	const { code, message } = isObject(first) ? first : { code: null, message: null };
	const error = stringOf(message) ?? errorTextOf(exchange);
	if (typeof code !== "number") return reading({ error });
	if (QUOTA.has(code)) return reading({ class: "quota", error });
	return reading({ class: code === OUT_OF_CAPACITY ? "busy" : null, error });
}

function usageOf(usage: unknown): Usage | null {
	if (!isObject(usage)) return null;
	const inputTokens = countOf(usage["prompt_tokens"]) ?? countOf(usage["input_tokens"]);
	const outputTokens = countOf(usage["completion_tokens"]) ?? countOf(usage["output_tokens"]);
	return inputTokens === null && outputTokens === null ? null : { inputTokens, outputTokens, seconds: null };
}
