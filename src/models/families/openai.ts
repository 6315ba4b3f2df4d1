/** What the OpenAI protocols have in common: paths, errors and usage. */
import { isBare, under, withEnd } from "../requests/address.ts";
import type { Exchange, Reading, Usage } from "../exchange.ts";
import type { Probe } from "../protocol.ts";
import {
	ask,
	countOf,
	errorTextOf,
	isObject,
	isSuccess,
	objectIn,
	reading,
	requestIdOf,
	stringOf,
} from "../responses/reading.ts";

/**
 * The URL of a call: after `/v1` if the endpoint's URL has no path; otherwise after its path, as
 * OpenAI clients build it.
 */
export function callUrl(url: string, path: string, isCall: boolean): string {
	if (isCall) return url;
	return under(url, isBare(url) ? `/v1${path}` : path);
}

/**
 * Looks for the model in the list of models, whose path is next to that of a call.
 */
export function listsModel(call: RegExp): Probe {
	return {
		request: ({ url }) => ask(withEnd(url, call, "/models") ?? callUrl(url, "/models", false)),
		isReady(response, { model }) {
			// llama.cpp while it loads.
			if (response.status === 503) return false;
			const list = isSuccess(response) ? objectIn(response)?.["data"] : null;
			// A model that is not in the list may still work: Ollama, OpenRouter and llama.cpp accept names
			// that they do not list.
			const isListed = Array.isArray(list) && list.some((item) => isObject(item) && item["id"] === model);
			return isListed ? true : null;
		},
	};
}

/** What a response outside 2xx means, or an error with status 200, which some gateways send. */
export function refusalOf(exchange: Exchange): Reading | null {
	const body = objectIn(exchange);
	const error = isObject(body?.["error"]) ? body["error"] : null;
	if (isSuccess(exchange)) {
		if (error !== null) return reading({ ...insideSuccess(error), error: textOf(error) });
		// Some servers have only a text; beside an output it says nothing about that.
		const text = body === null || "choices" in body || "data" in body ? null : stringOf(body["error"]);
		return text === null ? null : reading({ class: "error", error: text });
	}
	const message = errorTextOf(exchange);
	return reading({
		...meaningOf(exchange, error),
		...(isLitServeFull(exchange, message) && { class: "busy" }),
		error: message,
		requestId: requestIdOf(exchange),
	});
}

type Meaning = Pick<Reading, "class" | "scope">;
const OPEN: Meaning = { class: null, scope: null };

function meaningOf({ status, headers }: Exchange, error: Record<string, unknown> | null): Meaning {
	if (isOutOfQuota(error)) return { ...OPEN, class: "quota" };
	const text = textOf(error) ?? "";
	// llama.cpp.
	if (status === 503 && /\bloading model\b/i.test(text)) return { class: "busy", scope: "endpoint" };
	const again = headers["x-should-retry"];
	if (again === "true" && isBadInput(status)) return { ...OPEN, class: "error" };
	if (again === "false" && status >= 500 && status !== 503) return { ...OPEN, class: "bad_input" };
	return OPEN;
}

/** Statuses that the general table treats as bad input. */
function isBadInput(status: number): boolean {
	return (
		status >= 400 && status < 500 && ![401, 402, 403, 404, 407, 408, 409, 410, 425, 429].includes(status)
	);
}

/**
 * A gateway (OpenRouter) that has already begun its response can report an error only in the body.
 */
export function insideSuccess(error: Record<string, unknown>): Pick<Reading, "class"> {
	if (isOutOfQuota(error)) return { class: "quota" };
	const code = Number(error["code"]);
	return { class: code === 408 || code === 429 || code === 503 ? "busy" : "error" };
}

function isOutOfQuota(error: Record<string, unknown> | null): boolean {
	return error?.["code"] === "insufficient_quota" || error?.["type"] === "insufficient_quota";
}

function textOf(error: Record<string, unknown> | null): string | null {
	return stringOf(error?.["message"]);
}

/** What an OpenAI document reports in addition to the output. */
export function factsOf(
	document: Record<string, unknown> | null,
	exchange: Exchange,
): Pick<Reading, "usage" | "modelVersion" | "requestId"> {
	return {
		usage: usageOf(document?.["usage"]),
		modelVersion: stringOf(document?.["model"]),
		requestId: requestIdOf(exchange) ?? stringOf(document?.["id"]),
	};
}

function usageOf(usage: unknown): Usage | null {
	if (!isObject(usage)) return null;
	const inputTokens = countOf(usage["prompt_tokens"]);
	const outputTokens = countOf(usage["completion_tokens"]);
	return inputTokens === null && outputTokens === null ? null : { inputTokens, outputTokens, seconds: null };
}

/**
 * LitServe responds 504 to a request that has waited too long; a gateway that timed out uses other
 * words.
 */
function isLitServeFull({ status }: Exchange, error: string | null): boolean {
	return status === 504 && error === "Request timed out";
}
