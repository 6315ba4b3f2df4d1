/**
 * A trial on the wire: the request and the response, bounded and without the credentials of the
 * endpoint. Pure.
 */
import { recordAttempt } from "../../delivery/exchange/response/attempt-record.ts";
import { hideSecrets, showable } from "../../delivery/exchange/response/excerpt.ts";
import { maskOutput } from "../../delivery/exchange/masking/mask-output.ts";
import { authHeaders } from "../../delivery/exchange/request/request.ts";
import { isCredential, showRequest } from "../../delivery/exchange/masking/shown-request.ts";
import { secretsOfExchange } from "../../delivery/exchange/masking/secrets-in.ts";
import type { AttemptResult, OutgoingRequest } from "../../delivery/rules/attempt.ts";
import type { Trial } from "../../delivery/trial/trial.ts";
import type { EventData } from "../../events/event.ts";
import type { ModelOutput, Usage } from "../../models/exchange.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import { jsonTextOf, withMember } from "../http/json-members.ts";
import { HIDDEN } from "../../crypto/hidden.ts";

/** Characters of a request's body and of an output that are shown. */
const MAX_SHOWN = 65_536;
/**
 * Limit of response headers that are shown; of each value the first 500 characters.
 */
const MAX_HEADERS = 64;
/** A session cookie that the server sets is a credential too. */
const OPENS_SESSION = new Set(["set-cookie", "set-cookie2"]);

/** The whole response as JSON text. */
export function trialJson(trial: Trial, endpoint: ReadableEndpoint): string {
	const { request, result, verdict, said, startedAt } = trial;
	const { outcome } = verdict;
	const secrets = [...secretsOfExchange(endpoint, result), ...secretsOf(request, endpoint)];
	const error = outcome === "done" || outcome === "accepted" ? null : (said?.error ?? null);
	const attempt = recordAttempt({ delivery: { attempts: [] }, result, startedAt }, outcome, error, secrets);
	const shown = (text: string | null | undefined) => (text ? showable(text, secrets) : null);
	const wire = {
		request: request && requestToWire(request, endpoint, secrets),
		response: responseToWire(result, shown(attempt.excerpt), secrets),
		outcome,
		scope: verdict.scope,
		error: shown(attempt.error),
		retry_after_ms: verdict.retryAfterMs,
		usage: said && usageToWire(said.usage),
		model_version: shown(said?.modelVersion),
		request_id: shown(said?.requestId),
		duration_ms: result.durationMs,
	};
	const output = verdict.result === "body" ? (said?.output ?? null) : null;
	return withMember(wire, "output", outputJson(maskOutput(output, secrets)));
}

/** The credentials in the request, including those made for this request alone. */
function secretsOf(request: OutgoingRequest | null, { auth }: ReadableEndpoint): string[] {
	const credentials = authHeaders(auth);
	return Object.entries(request?.headers ?? {})
		.filter(([name]) => isCredential(name, credentials))
		.flatMap(([, value]) => [value, value.slice(value.indexOf(" ") + 1)]);
}

function requestToWire(
	request: OutgoingRequest,
	endpoint: ReadableEndpoint,
	secrets: readonly string[],
): Record<string, unknown> {
	const { method, url, headers, body } = showRequest(request, endpoint);
	const hasBody = request.body !== null;
	return { method, url: hideSecrets(url, secrets), headers, ...bodyToWire(hasBody ? body : null, secrets) };
}

function bodyToWire(body: EventData | null, secrets: readonly string[]): Record<string, unknown> {
	const whole = body && maskOutput({ kind: "data", data: body, contentType: "" }, secrets);
	const data = whole?.data ?? null;
	if (data === null) return { body: null, truncated: false };
	const text = data.kind === "binary" ? data.base64 : data.text;
	return {
		[data.kind === "binary" ? "body_base64" : "body"]: cut(text),
		truncated: text.length > MAX_SHOWN,
	};
}

function responseToWire(
	result: AttemptResult,
	excerpt: string | null,
	secrets: readonly string[],
): Record<string, unknown> | null {
	if (result.kind !== "response") return null;
	const headers = Object.entries(result.headers)
		.slice(0, MAX_HEADERS)
		.map(([name, value]) => [name, OPENS_SESSION.has(name) ? HIDDEN : showable(value, secrets)]);
	return { status_code: result.status, headers: Object.fromEntries(headers), body_excerpt: excerpt };
}

function usageToWire(usage: Usage | null): Record<string, number | null> | null {
	if (usage === null) return null;
	return { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, seconds: usage.seconds };
}

/** JSON is returned as the model spelled it; if it is too long, its beginning as a text. */
function outputJson(output: ModelOutput): string {
	if (output === null) return "null";
	const { data } = output;
	const wire =
		output.kind === "event"
			? {
					cloudevent: { specversion: "1.0", ...output.attributes },
					content_type: output.attributes.datacontenttype ?? null,
				}
			: { cloudevent: null, content_type: output.contentType };
	if (data === null) return JSON.stringify({ ...wire, truncated: false, data: null });
	const text = data.kind === "binary" ? data.base64 : data.text;
	const truncated = text.length > MAX_SHOWN;
	const name = data.kind === "binary" ? "data_base64" : "data";
	return withMember({ ...wire, truncated }, name, truncated ? JSON.stringify(cut(text)) : jsonTextOf(data));
}

/** A multiple of four, so that a cut base64 text stays valid base64. */
function cut(text: string): string {
	return text.slice(0, MAX_SHOWN);
}
