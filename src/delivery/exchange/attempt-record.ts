/** What is kept of one attempt, for people to read: without the endpoint's credentials. Pure. */
import type { ReadableEndpoint } from "../../store/records.ts";
import type { AttemptResult, Outcome } from "../rules/attempt.ts";
import { nextNumber } from "../rules/attempts.ts";
import { excerpt, showable } from "./excerpt.ts";
import type { Attempt } from "../records.ts";
import { secretsOfExchange } from "./secrets-in.ts";

export interface Attempted {
	/** The attempts before this one are counted. */
	delivery: { attempts: readonly Attempt[] };
	endpoint: ReadableEndpoint;
	result: AttemptResult;
	/** ms since the epoch. */
	startedAt: number;
}

/** `said` is what the protocol reads as an error in a complete response. */
export function recordAttempt(attempted: Attempted, outcome: Outcome, said: string | null = null): Attempt {
	const { delivery, endpoint, result, startedAt } = attempted;
	const responded = result.kind === "response";
	const failure = responded ? result.failure : result;
	const secrets = secretsOfExchange(endpoint, result);
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
