/**
 * What a token endpoint's response means: a token and its lifetime, or why there is none and what
 * that means for the endpoint. Pure.
 */
import * as z from "zod";
import { parseJson } from "../../../events/json/parse.ts";
import type { AttemptResult, NetworkError } from "../../rules/attempt.ts";
import { readRetryAfter } from "../../rules/retry-after.ts";

export interface Token {
	value: string;
	/** When the token is replaced, shortly before it expires; ms since the epoch. */
	freshUntil: number;
}

/** `result`: the attempt ends with it. */
export type Asked =
	| { ok: true; token: Token }
	| { ok: false; result: Extract<AttemptResult, { kind: "no_response" }> };

/** Lifetime of a token if the response does not give one. */
const DEFAULT_LIFE_MS = 300_000;
const MAX_LIFE_MS = 86_400_000;
/** A token is replaced at most this long before it expires, because a request that uses it may take a while. */
const MARGIN_MS = 60_000;

const BUSY = new Set([408, 425, 429, 503]);
/**
 * RFC 6749, section 5.2: all of its errors come with 400 or 401, and the operator has to fix all of
 * them.
 */
const REFUSED = new Set([400, 401, 403]);

const tokenSchema = z.object({
	access_token: z.string().regex(/^[!-~]{1,16384}$/),
	token_type: z.string().nullish(),
	expires_in: z.coerce.number().nonnegative().nullish().catch(null),
});
const errorSchema = z.object({ error: z.string(), error_description: z.string().nullish() });

/** `now` in ms since the epoch. */
export function readToken(response: AttemptResult, now: number): Asked {
	if (response.kind === "no_response") {
		return none("token_failed", `The token endpoint: ${response.error}: ${response.message}`, response);
	}
	const { status, body, failure } = response;
	const parsed = parseJson(new TextDecoder().decode(body));
	const json = parsed.ok ? parsed.value : null;
	if (status < 200 || status > 299) return refused(response, saidBy(json), now);
	if (failure !== null) return none("token_failed", `The token endpoint: ${failure.message}`, response);
	const { data } = tokenSchema.safeParse(json);
	if (data === undefined) {
		return none("token_failed", `The token endpoint responded ${status} without an access_token.`, response);
	}
	if (typeof data.token_type === "string" && !/^bearer$/i.test(data.token_type)) {
		return none(
			"token_failed",
			`The token endpoint returned a token of type ${data.token_type} instead of Bearer.`,
			response,
		);
	}
	const lifeMs = Math.min((data.expires_in ?? DEFAULT_LIFE_MS / 1000) * 1000, MAX_LIFE_MS);
	const freshUntil = now + lifeMs - Math.min(MARGIN_MS, lifeMs / 2);
	return { ok: true, token: { value: data.access_token, freshUntil } };
}

type Responded = Extract<AttemptResult, { kind: "response" }>;

function refused(response: Responded, said: string | null, now: number): Asked {
	const { status, headers } = response;
	const message = `The token endpoint responded ${status}${said === null ? "" : `: ${said}`}`;
	if (REFUSED.has(status)) return none("token_refused", message, response);
	if (!BUSY.has(status)) return none("token_failed", message, response);
	return none("token_busy", message, response, readRetryAfter(headers, now));
}

/**
 * `invalid_client: Unknown client`, the error format of RFC 6749. Not cut here, because quoted
 * credentials are masked first.
 */
function saidBy(json: unknown): string | null {
	const { data } = errorSchema.safeParse(json);
	if (data === undefined) return null;
	const { error, error_description: description } = data;
	return typeof description === "string" ? `${error}: ${description}` : error;
}

function none(
	error: NetworkError,
	message: string,
	{ durationMs }: AttemptResult,
	retryAfterMs: number | null = null,
): Asked {
	const wait = retryAfterMs === null ? {} : { retryAfterMs };
	return { ok: false, result: { kind: "no_response", error, message, durationMs, ...wait } };
}
