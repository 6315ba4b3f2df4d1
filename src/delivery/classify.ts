/**
 * What the end of an attempt means: one function from response to outcome. What follows from an outcome (delays,
 * pausing, dead letters) is decided in lifecycle.ts.
 */
import type { AttemptResult, Outcome } from "./attempt.ts";

export interface ClassifyRules {
	/** Statuses the endpoint calls an error, whatever the table says. */
	statuses: readonly number[];
	/** Statuses the endpoint calls busy, whatever the table says; they win over `statuses`. */
	busyStatuses: readonly number[];
	/** Whether the endpoint may still be starting, so that a dead gateway means "not yet". */
	coldStart: boolean;
}

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
]);

/** Gateways before a server that does not listen yet; 521 is how Cloudflare reports a refused connection. */
const COLD_START = new Set([502, 504, 521]);

/** Every result has exactly one outcome. */
export function classify(result: AttemptResult, rules: ClassifyRules): Outcome {
	if (result.kind === "no_response") {
		return rules.coldStart && result.error === "connection_lost" ? "busy" : "error";
	}
	const { status } = result;
	if (rules.busyStatuses.includes(status)) return "busy";
	if (rules.statuses.includes(status)) return "error";
	if (rules.coldStart && COLD_START.has(status)) return "busy";
	const meaning = MEANING.get(status);
	if (meaning !== undefined) return meaning;
	if (status >= 200 && status < 300) return "done";
	if (status >= 400 && status < 500) return "bad_input";
	// 1xx, 3xx (never followed), other 5xx, and numbers that HTTP does not know.
	return "error";
}
