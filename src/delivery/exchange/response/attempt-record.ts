/** The record of one attempt, without the endpoint's credentials. Pure. */
import type { AttemptResult, Outcome } from "../../rules/attempt.ts";
import { nextNumber } from "../../rules/attempts.ts";
import { excerpt, showable } from "./excerpt.ts";
import type { Attempt } from "../../records.ts";

export interface Attempted {
	/** The attempts before this one. */
	delivery: { attempts: readonly Attempt[] };
	result: AttemptResult;
	/** ms since the epoch. */
	startedAt: number;
}

/**
 * `said` is what the protocol reads as an error in a complete response; `secrets` are masked in
 * everything that is kept.
 */
export function recordAttempt(
	attempted: Attempted,
	outcome: Outcome,
	said: string | null,
	secrets: readonly string[],
): Attempt {
	const { delivery, result, startedAt } = attempted;
	const responded = result.kind === "response";
	const failure = responded ? result.failure : result;
	return {
		number: nextNumber(delivery.attempts),
		at: startedAt,
		durationMs: result.durationMs,
		statusCode: responded ? result.status : null,
		outcome,
		error:
			failure === null
				? said && showable(said, secrets)
				: showable(`${failure.error}: ${failure.message}`, secrets),
		excerpt: responded ? excerpt(result, secrets) : null,
	};
}
