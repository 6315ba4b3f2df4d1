/**
 * What a gate is: one reason why an endpoint may get no request now, or only so many. Pure: a gate looks at what has
 * happened at the endpoint and says how many exchanges may begin. A new gate is a file beside this one and a line in
 * gates.ts.
 */
import type * as z from "zod";
import type { Outcome, Scope } from "../rules/attempt.ts";

/** The present, as gates see it. */
export interface Moment {
	/** ms since the epoch. */
	now: number;
	/** From 0 to 1; spreads what would otherwise happen all at once. */
	random: number;
	/** Exchanges under way. */
	inFlight: number;
	/** Jobs that the server has taken and that take a slot each until they end. */
	jobs: number;
	/** Bytes of the events that are under way, or still to be written. */
	bytesInFlight: number;
	/** The most that the endpoint's owner allows at once (`max_concurrency`). */
	maxConcurrency: number;
	/** Whether the endpoint is to be sent to at all. */
	isActive: boolean;
	/** Whether it is not known yet what is under way. */
	isRecovering: boolean;
}

/** What happened at the endpoint. */
export type EndpointEvent =
	| { kind: "ended"; exchange: EndedExchange }
	/** Somebody has seen to the endpoint: resumed it, or changed its URL or credentials. */
	| { kind: "repaired" };

export interface EndedExchange {
	deliveryId: string;
	outcome: Outcome;
	/** Whether the outcome speaks for this request alone or for the whole endpoint, as a refused connection does. */
	scope: Scope;
	/** How long the endpoint asked to be left alone; null when it did not. */
	retryAfterMs: number | null;
	/** Exchanges that are still under way at its end. */
	others: number;
}

/** The endpoint has taken the request: it has responded to it, or begun a job. */
export function isSuccess({ outcome }: Pick<EndedExchange, "outcome">): boolean {
	return outcome === "done" || outcome === "accepted";
}

/** `until`: when that changes by itself, ms since the epoch; null when only an event changes it. */
export type Admission = { slots: number } | { slots: 0; until: number | null };

export interface Gate<State> {
	/** The word for it in `blocked_by`. */
	readonly name: string;
	readonly initial: State;
	/** Reads back what `durable` wrote; without it nothing outlasts an eviction. */
	readonly schema?: z.ZodType<State>;
	/** The part of the state that is worth a row: it is written whenever this part changes. */
	durable?(state: State): State;
	/** How many more exchanges may begin. */
	admit(state: State, at: Moment): Admission;
	after(state: State, event: EndpointEvent, at: Moment): State;
}
