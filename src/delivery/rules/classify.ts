/**
 * What the end of an attempt means: one function from status, headers and what the protocol reads out of the response.
 * This table is the authority for all that a protocol leaves open. What follows from an outcome (delays, pausing, dead letters) is decided in lifecycle.ts.
 */
import { carriesNothing } from "../../models/output.ts";
import type { Reading } from "../../models/exchange.ts";
import type { AttemptResult, NetworkError, Outcome, Scope } from "./attempt.ts";
import { readRetryAfter } from "./retry-after.ts";
import { MAX_DELAY_MS } from "./schedule.ts";

export interface ClassifyRules {
	/** Statuses the endpoint calls an error, whatever the table says. */
	statuses: readonly number[];
	/** Statuses the endpoint calls busy, whatever the table says; they win over `statuses`. */
	busyStatuses: readonly number[];
	/** Whether the endpoint may still be starting, so that a dead gateway means "not yet". */
	coldStart: boolean;
	/** Whether the endpoint completes by callback or poll, so that a 202 is the beginning of a job. */
	completesLater: boolean;
	/** Whether nothing has succeeded at the endpoint since the exchange began: a lost connection then speaks for it. */
	isSilent: boolean;
	/** ms since the epoch. */
	now: number;
}

export interface Verdict {
	outcome: Outcome;
	scope: Scope;
	/** How long the endpoint asks to be left alone; null: it does not. */
	retryAfterMs: number | null;
	/** What there is to read in the response. `too_large`: the model has done its work, and nobody can have it. */
	result: "body" | "none" | "too_large";
}

/** The protocol's share in the verdict. */
export type Said = Pick<Reading, "class" | "scope" | "retryAfterMs">;

/** Statuses with a meaning of their own; their class decides for all others. */
const MEANING = new Map<number, Outcome>([
	[401, "unauthorized"],
	[402, "quota"],
	[403, "unauthorized"],
	// A route that is not there yet, or a conflict: both may pass by themselves.
	[404, "error"],
	[407, "unauthorized"],
	[408, "busy"],
	[409, "error"],
	[410, "gone"],
	[425, "busy"],
	[429, "busy"],
	[503, "busy"],
	[521, "busy"],
	[523, "busy"],
]);

/** What ends an attempt before its request is made, for want of credentials. */
const OF_CREDENTIALS = new Map<NetworkError, Outcome>([
	["no_credentials", "unauthorized"],
	["token_refused", "unauthorized"],
	["token_busy", "busy"],
]);

/** How Cloudflare reports a refused connection (521) and an unreachable server (523). */
const REFUSED = new Set([521, 523]);
/** What gateways respond while the server behind them does not listen yet. */
const COLD_START = new Set([502, 504]);

/**
 * Every result has exactly one outcome. Outside 2xx a body that cannot be read changes nothing. `said` is what the
 * protocol reads, null when it has not been asked; the statuses that the endpoint names win over it.
 */
export function classify(result: AttemptResult, rules: ClassifyRules, said: Said | null = null): Verdict {
	if (result.kind === "no_response") return classifyNone(result, rules);
	const verdict = classifyResponse(result, rules, said);
	const isRefused = REFUSED.has(result.status) || (rules.coldStart && COLD_START.has(result.status));
	const speaksForAll = isRefused || (said?.class === "busy" && said.scope === "endpoint");
	return { ...verdict, scope: verdict.outcome === "busy" && speaksForAll ? "endpoint" : "request" };
}

function classifyNone(
	{ error, retryAfterMs: asked }: Extract<AttemptResult, { kind: "no_response" }>,
	rules: ClassifyRules,
): Verdict {
	const retryAfterMs = asked ?? null;
	const isRefused = error === "connection_lost" && (rules.coldStart || rules.isSilent);
	if (isRefused) return { outcome: "busy", scope: "endpoint", retryAfterMs, result: "none" };
	return { outcome: OF_CREDENTIALS.get(error) ?? "error", scope: "request", retryAfterMs, result: "none" };
}

type Responded = Extract<AttemptResult, { kind: "response" }>;

function classifyResponse(
	result: Responded,
	rules: ClassifyRules,
	said: Said | null,
): Omit<Verdict, "scope"> {
	const asked = readRetryAfter(result.headers, rules.now) ?? said?.retryAfterMs ?? null;
	const retryAfterMs = asked === null ? null : Math.min(asked, MAX_DELAY_MS);
	const outcome = meaningOf(result.status, rules, said);
	if (outcome === "done" && result.status === 202 && rules.completesLater) {
		return { outcome: "accepted", retryAfterMs, result: "none" };
	}
	if (outcome !== "done") return { outcome, retryAfterMs, result: "none" };
	if (carriesNothing(result.status)) return { outcome, retryAfterMs, result: "none" };
	if (result.failure === null) return { outcome, retryAfterMs, result: "body" };
	// A second response would be as long, and cost the model the same work again.
	if (result.failure.error === "too_large") return { outcome, retryAfterMs, result: "too_large" };
	return { outcome: "error", retryAfterMs, result: "none" };
}

function meaningOf(status: number, rules: ClassifyRules, said: Said | null): Outcome {
	if (rules.busyStatuses.includes(status)) return "busy";
	if (rules.statuses.includes(status)) return "error";
	if (said !== null && said.class !== null) return said.class;
	if (rules.coldStart && COLD_START.has(status)) return "busy";
	const meaning = MEANING.get(status);
	if (meaning !== undefined) return meaning;
	if (status >= 200 && status < 300) return "done";
	if (status >= 400 && status < 500) return "bad_input";
	// 1xx, 3xx (never followed), other 5xx, and numbers that HTTP does not know.
	return "error";
}
