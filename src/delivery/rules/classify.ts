/**
 * What the outcome of an attempt means: one function from status, headers and what the protocol
 * reads in the response. This table decides everything that a protocol leaves open. lifecycle.ts
 * decides what follows from an outcome (delays, pausing, dead letters).
 */
import { carriesNothing } from "../../models/responses/output.ts";
import type { Reading } from "../../models/exchange.ts";
import type { AttemptResult, NetworkError, Outcome, Scope } from "./attempt.ts";
import { readRetryAfter } from "./retry-after.ts";
import { MAX_DELAY_MS } from "./schedule.ts";

export interface ClassifyRules {
	/**
	 * Statuses that the endpoint's settings define as errors, overriding the table.
	 */
	statuses: readonly number[];
	/**
	 * Statuses that the endpoint's settings define as busy, overriding the table; they win
	 * over `statuses`.
	 */
	busyStatuses: readonly number[];
	/**
	 * Whether the endpoint may still be starting, so that a gateway error means "not yet".
	 */
	coldStart: boolean;
	/** Whether the endpoint completes by callback or poll, so that a 202 starts a job. */
	completesLater: boolean;
	/**
	 * Whether nothing has succeeded at the endpoint since the exchange began: a lost connection then
	 * counts for the whole endpoint.
	 */
	isSilent: boolean;
	/** ms since the epoch. */
	now: number;
}

export interface Verdict {
	outcome: Outcome;
	scope: Scope;
	/** How long the endpoint asks the router to wait; null: it does not. */
	retryAfterMs: number | null;
	/**
	 * What the response contains to read. `too_large`: the model has done its work, but its output
	 * cannot be read.
	 */
	result: "body" | "none" | "too_large";
}

/** The protocol's part of the verdict. */
export type Said = Pick<Reading, "class" | "scope" | "retryAfterMs">;

/** Statuses with a specific meaning; all others are judged by their class. */
const MEANING = new Map<number, Outcome>([
	[401, "unauthorized"],
	[402, "quota"],
	[403, "unauthorized"],
	// A missing route or a conflict: both may go away by themselves.
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

/**
 * Errors that end an attempt before its request is made, for lack of credentials.
 */
const OF_CREDENTIALS = new Map<NetworkError, Outcome>([
	["no_credentials", "unauthorized"],
	["token_refused", "unauthorized"],
	["token_busy", "busy"],
]);

/** How Cloudflare reports a refused connection (521) and an unreachable server (523). */
const REFUSED = new Set([521, 523]);
/** Gateway statuses while the server behind the gateway does not listen yet. */
const COLD_START = new Set([502, 504]);

/**
 * Every result has exactly one outcome. Outside 2xx an unreadable body changes nothing. `said` is
 * what the protocol reads, null if it was not asked; the statuses in the endpoint's settings win
 * over it.
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
	// A second response would be just as long, and would cost the model the same work
	// again.
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
	// 1xx, 3xx (never followed), other 5xx, and numbers that HTTP does not define.
	return "error";
}
