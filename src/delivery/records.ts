/**
 * What a delivery is, as the dispatcher stores it and returns it to the API. Shapes only. Times are
 * ms since the epoch.
 */
import type { EventData } from "../events/event.ts";
import type { Reported } from "../models/exchange.ts";
import type { Outcome } from "./rules/attempt.ts";
import type { BlockedBy } from "./gates/gates.ts";

export const DELIVERY_STATUSES = [
	"pending",
	"in_flight",
	/** Accepted by an asynchronous model whose output has not arrived yet. */
	"waiting",
	/** The output has arrived; its result event is not in the queue yet. */
	"publishing",
	"succeeded",
	"dead",
	"canceled",
] as const;

export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/**
 * Why a delivery is dead. The list of the API contract: some reasons are not used
 * yet.
 */
export const DEAD_REASONS = [
	"exhausted",
	"rejected",
	"gone",
	"expired",
	"loop",
	"budget",
	"too_large",
	"transform_failed",
	"deadline",
	"superseded",
	"deleted",
	"backlog_full",
	"unreadable",
] as const;

export type DeadReason = (typeof DEAD_REASONS)[number];

/** How the job that an attempt started has ended. */
export interface JobEnd {
	at: number;
	/**
	 * How the end became known: by a callback, by a poll, or because the deadline
	 * passed.
	 */
	by: "callback" | "poll" | "deadline";
	outcome: Outcome;
	/** What went wrong, in words. */
	error: string | null;
}

/** One HTTP exchange. */
export interface Attempt extends Reported {
	/** From 1; sent in the `sluice-attempt` header. */
	number: number;
	at: number;
	durationMs: number;
	/** null if no response began. */
	statusCode: number | null;
	outcome: Outcome;
	/**
	 * What went wrong, in words; null if a complete response arrived and its protocol found no error
	 * in it.
	 */
	error: string | null;
	/** The beginning of a textual response body. */
	excerpt: string | null;
	/** null or absent: it started no job, or the job is still running. */
	job?: JobEnd | null | undefined;
	/** Whether a retry was requested after this attempt and before the next one. */
	retryAsked?: boolean | undefined;
}

/** The model's output. */
export interface Result {
	data: EventData;
	contentType: string;
}

/** Why a delivery that succeeded has no result although the model returned one. */
export type ResultOmitted = "too_large";

/** A delivery as the API returns it. */
export interface DeliveryRecord {
	/** Orders the deliveries of one endpoint by age; see events/position.ts. */
	position: number;
	id: string;
	eventId: string;
	subscriptionId: string;
	subscriptionName: string;
	endpointId: string;
	endpointRef: string;
	status: DeliveryStatus;
	reason: DeadReason | null;
	detail: string | null;
	attempts: Attempt[];
	/**
	 * When it may be sent; null if it has ended, is in progress, or waits for something without a
	 * known time.
	 */
	nextAttemptAt: number | null;
	/** While it waits for the output of a job: the deadline. */
	deadlineAt: number | null;
	/**
	 * Why it is not sent although it is due; null if it is not due or is about to be sent.
	 */
	blockedBy: BlockedBy | null;
	/** When the block ends without an event; never in the past, null if only an event ends it. */
	blockedUntil: number | null;
	createdAt: number;
	finishedAt: number | null;
	result: Result | null;
	resultOmitted: ResultOmitted | null;
	resultEventId: string | null;
}

/** Search filters for deliveries; all that are set must match. */
export interface DeliveryFilters {
	subscriptionId?: string;
	eventId?: string;
	status?: DeliveryStatus;
	reason?: string;
	/** Of the response to the last attempt. */
	statusCode?: number;
	/** Of the event. */
	subject?: string;
	/** Of the event, or the event's own id if it has none. */
	correlationId?: string;
	/** Created at or after, and before. */
	since?: number;
	until?: number;
}

export interface DeliveryQuery extends DeliveryFilters {
	/** Only positions below this one. */
	before?: number;
	limit: number;
}

/** What the API reports to a dispatcher when its settings change. */
export interface SettingsChange {
	/**
	 * An operator has repaired the endpoint: waits that it asked for earlier no longer apply.
	 */
	repaired: boolean;
}

/** What retry and cancel return. */
export type Change =
	| { ok: true; delivery: DeliveryRecord }
	| {
			ok: false;
			code:
				| "delivery_not_found"
				| "already_succeeded"
				| "already_finished"
				| "in_flight"
				| "unreadable"
				| "backlog_full"
				| "event_forgotten";
	  };
