/**
 * What a gate is: one reason why an endpoint may get no request now, or only a limited number.
 * Pure: a gate takes what has happened at the endpoint and returns how many exchanges may begin. To
 * add one, add a file here and a line in gates.ts.
 */
import type * as z from "zod";
import type { Outcome, Scope } from "../rules/attempt.ts";

/** The current situation, as gates see it. */
export interface Moment {
	/** ms since the epoch. */
	now: number;
	/** From 0 to 1; spreads events that would otherwise happen all at once. */
	random: number;
	/** Exchanges in progress. */
	inFlight: number;
	/**
	 * Jobs that the server has accepted and that occupy a slot each until they end.
	 */
	jobs: number;
	/** Bytes of the events in flight or not yet written. */
	bytesInFlight: number;
	/**
	 * The most exchanges at once that the endpoint's settings allow
	 * (`max_concurrency`).
	 */
	maxConcurrency: number;
	/** Whether the endpoint's status allows sending. */
	isActive: boolean;
	/** Whether it is still unknown what is in progress. */
	isRecovering: boolean;
}

/** What happened at the endpoint. */
export type EndpointEvent =
	| { kind: "ended"; exchange: EndedExchange }
	/**
	 * An operator has repaired the endpoint: resumed it, or changed its URL or credentials.
	 */
	| { kind: "repaired" };

export interface EndedExchange {
	deliveryId: string;
	outcome: Outcome;
	/**
	 * Whether the outcome says something about this request alone or about the whole endpoint, as a
	 * refused connection does.
	 */
	scope: Scope;
	/** How long the endpoint asked the router to wait; null if it did not. */
	retryAfterMs: number | null;
	/** Exchanges that are still in progress when this one ends. */
	others: number;
}

/**
 * The endpoint has accepted the request: it has responded to it, or started a job.
 */
export function isSuccess({ outcome }: Pick<EndedExchange, "outcome">): boolean {
	return outcome === "done" || outcome === "accepted";
}

/** `until`: when that changes without an event, ms since the epoch; null if only an event changes it. */
export type Admission = { slots: number } | { slots: 0; until: number | null };

export interface Gate<State> {
	/** Its value in `blocked_by`. */
	readonly name: string;
	readonly initial: State;
	/**
	 * Parses what `durable` returned; without a schema, nothing survives an eviction.
	 */
	readonly schema?: z.ZodType<State>;
	/** The part of the state that is stored: it is written whenever this part changes. */
	durable?(state: State): State;
	/** How many more exchanges may begin. */
	admit(state: State, at: Moment): Admission;
	after(state: State, event: EndpointEvent, at: Moment): State;
}
