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
import { type Family, familyOf, refuseModel } from "../families/workers-ai-families.ts";
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
	refuse({ url }) {
		const reason = refuseModel(modelOf(url));
		return reason === null ? null : { field: "url", message: notSupported(url, reason) };
	},
	request(input, { url }) {
		const model = modelOf(url);
		// Endpoints that an earlier release has stored.
		const reason = refuseModel(model);
		if (reason !== null) return { misfit: notSupported(url, reason) };
		const made = inputsOf(input, familyOf(model));
		if ("misfit" in made) return made;
		const inexact = payloadOf(input)?.kind === "json" ? inexactIn(made.inputs) : null;
		if (inexact !== null) return { misfit: `${INEXACT}: ${inexact}` };
		return { method: "POST", url, headers: JSON_HEADERS, body: JSON.stringify(made.inputs) };
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

/** The binding takes values of JavaScript: what it is given is what a preview shows. */
const INEXACT = "a number would lose digits in the binding of Workers AI; use a transform to make it a text";

function modelOf(url: string): string {
	const target = readBindingUrl(url);
	return target?.scheme === "workers-ai" ? target.model : "";
}

function notSupported(url: string, reason: string): string {
	return `names a model that this protocol does not support: ${modelOf(url)} ${reason}`;
}

/** The digits of the first number that JavaScript cannot represent; null: there is none. */
function inexactIn(value: unknown): string | null {
	if (typeof value !== "object" || value === null) return null;
	if (JSON.isRawJSON(value)) return JSON.stringify(value);
	for (const member of Object.values(value)) {
		const found = inexactIn(member);
		if (found !== null) return found;
	}
	return null;
}

type Inputs = { inputs: Record<string, unknown> } | Misfit;

function inputsOf(input: ModelInput, family: Family): Inputs {
	const payload = payloadOf(input);
	if (payload?.kind === "binary") return bytesOf(payload.base64, family);
	const value = valueOf(input);
	if (value === null) return NO_DATA;
	if (isMessage(value)) return under(family, family.messages, [value], "a message");
	if (isObject(value)) return { inputs: "stream" in value ? { ...value, stream: false } : value };
	if (!Array.isArray(value)) return textOf(asText(value), family);
	if (value.length > 0 && value.every(isMessage))
		return under(family, family.messages, value, "a list of messages");
	if (value.length > 0 && value.every((item) => typeof item === "string"))
		return under(family, family.texts, value, "a list of texts");
	return { misfit: "a list must contain messages, or texts for embeddings" };
}

function textOf(text: string, family: Family): Inputs {
	const { member = null, as } = family.text ?? {};
	const value = as === "message" ? [{ role: "user", content: text }] : text;
	return under(family, member, value, "a text");
}

function under(family: Family, member: string | null, value: unknown, what: string): Inputs {
	return member === null ? refusedInput(what, family) : { inputs: { [member]: value } };
}

function bytesOf(base64: string, family: Family): Inputs {
	const { bytes } = family;
	if (bytes === null) return refusedInput("bytes", family);
	const value = bytes.as === "base64" ? base64 : [...Buffer.from(base64, "base64")];
	return { inputs: { [bytes.member]: value } };
}

function refusedInput(what: string, { needs }: Family): Misfit {
	const made = needs === null ? "the input object" : `the object ${needs}`;
	return { misfit: `this model does not accept ${what} alone: use a transform to make ${made}` };
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
