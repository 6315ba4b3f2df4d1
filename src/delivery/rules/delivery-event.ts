/** What can happen to a delivery, and what follows beyond it. Shapes only. */
import type { RetryPolicy } from "../../store/records.ts";
import type { DeadReason } from "../records.ts";
import type { Outcome, Scope } from "./attempt.ts";

/** How an attempt ended, or the job that it started. */
export interface Attempted {
	kind: "attempted";
	outcome: Exclude<Outcome, "accepted">;
	scope: Scope;
	retryAfterMs: number | null;
	/** The subscription makes a result event from the output. */
	publishes: boolean;
	retry: RetryPolicy;
}

/** The server has accepted a job. */
export interface Accepted {
	kind: "accepted";
	handle: string | null;
	/** The number of the attempt that began it. */
	attempt: number;
	/** How long to wait for the output, ms. */
	deadlineMs: number;
	/** Whether the server is polled for the output. */
	polls: boolean;
	retryAfterMs: number | null;
}

export type DeliveryEvent =
	| Attempted
	| Accepted
	/** The server was polled for the output of a job and does not have it yet. */
	| { kind: "still_running"; retryAfterMs: number | null; polls: boolean }
	/** The output of a job did not arrive in time. */
	| { kind: "deadline_passed"; retry: RetryPolicy }
	/** The output of an earlier attempt has now been transformed. */
	| { kind: "resumed"; publishes: boolean }
	/**
	 * Another delivery succeeded after this one alone had failed: the failure was its own, and costs
	 * an attempt.
	 */
	| { kind: "blamed"; retry: RetryPolicy }
	/** It is due at once: its endpoint has been repaired, or the exchange that carried it was lost. */
	| { kind: "brought_forward" }
	/**
	 * It cannot be sent now, through no fault of its own or of the endpoint: it is checked again
	 * later.
	 */
	| { kind: "put_off"; detail: string }
	/** It cannot be sent, or its result event cannot be published, now or later. */
	| { kind: "impossible"; reason: DeadReason; detail: string }
	/** The queue accepted the result event, or refused it. */
	| { kind: "published" }
	| { kind: "publish_failed" }
	/** `publishes`: the output has arrived, and only its result event is owed. */
	| { kind: "retry_asked"; publishes: boolean }
	| { kind: "cancel_asked" };

/** Effects on more than this delivery. */
export type Signal =
	/** Stop sending to the endpoint and keep the backlog. */
	{ kind: "pause"; reason: "unauthorized" | "quota" } | { kind: "disable"; reason: "gone" };

export interface Context {
	now: number;
	/** From 0 to 1. */
	random: number;
}
