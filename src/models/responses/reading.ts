/**
 * What most protocols have in common when they read a response: the JSON body, the error message,
 * the request id.
 */
import { parseJson } from "../../events/json/parse.ts";
import type { ModelResponse, Reading, StepRequest } from "../exchange.ts";

/** Items of a list of errors, and the depth of the search for a message. */
const MAX_ERRORS = 5;
const MAX_DEPTH = 6;

const NOTHING: Reading = {
	class: null,
	scope: null,
	output: null,
	handle: null,
	error: null,
	retryAfterMs: null,
	usage: null,
	modelVersion: null,
	requestId: null,
};

/** A GET request without a body. */
export function ask(url: string): StepRequest {
	return { method: "GET", url, headers: { accept: "application/json" }, body: null };
}

/** The general rules apply to all fields that are not set. */
export function reading(fields: Partial<Reading> = {}): Reading {
	return { ...NOTHING, ...fields };
}

export function isSuccess({ status }: ModelResponse): boolean {
	return status >= 200 && status < 300;
}

type Members = Record<string, unknown>;

/** The body if it is a JSON object, otherwise null. */
export function objectIn({ body }: ModelResponse): Members | null {
	const parsed = parseJson(textOf(body));
	return parsed.ok && isObject(parsed.value) ? parsed.value : null;
}

export function isObject(value: unknown): value is Members {
	return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

export function stringOf(value: unknown): string | null {
	return typeof value === "string" && value !== "" ? value : null;
}

/** A finite number that is not negative, otherwise null. */
export function countOf(value: unknown): number | null {
	return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
}

/** The request id from the headers that servers and gateways use. */
export function requestIdOf({ headers }: Pick<ModelResponse, "headers">): string | null {
	return stringOf(headers["x-request-id"]);
}

/**
 * The message of an error response: `error` (a text, an object with `message`, or a list), `detail`
 * (a text, or FastAPI's list of places and messages), `message`, or the body if it is plain text.
 * null if there is none.
 */
export function errorTextOf(response: ModelResponse): string | null {
	const text = textOf(response.body);
	const parsed = parseJson(text);
	if (parsed.ok) return describe(parsed.value);
	const isPlain = /^text\/plain\b/i.test(response.headers["content-type"] ?? "");
	return isPlain ? stringOf(text.trim()) : null;
}

/** The text in a value of such a form; null: there is none. */
export function describe(value: unknown, depth = 0): string | null {
	if (depth > MAX_DEPTH) return null;
	const within = (inner: unknown) => describe(inner, depth + 1);
	if (Array.isArray(value)) {
		const texts = value.slice(0, MAX_ERRORS).map(within);
		return stringOf(texts.filter((text) => text !== null).join("; "));
	}
	if (!isObject(value)) return stringOf(value);
	const said = within(value["error"]) ?? within(value["message"]) ?? within(value["msg"]);
	const detail = within(value["detail"]);
	if (Array.isArray(value["loc"]) && said !== null) return `${value["loc"].join(".")}: ${said}`;
	return said === null || detail === null ? (said ?? detail) : `${said} (${detail})`;
}

/**
 * Bytes that are not UTF-8 become replacement characters: use this only for ASCII members and for
 * text that people read.
 */
export function textOf(body: Uint8Array): string {
	return new TextDecoder().decode(body);
}
