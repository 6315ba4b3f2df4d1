/**
 * What a delivery is, as the dispatcher keeps it and hands it to the API. Shapes only. Times are ms since the
 * epoch.
 */
import type { EventData } from "../events/event.ts";
import type { Reported } from "../models/exchange.ts";
import type { Outcome } from "./rules/attempt.ts";
import type { BlockedBy } from "./gates/gates.ts";

export const DELIVERY_STATUSES = [
	"pending",
	"in_flight",
	/** Accepted by an asynchronous model whose output has still to come. */
	"waiting",
	/** The output is here; the queue has still to take its result event. */
	"publishing",
	"succeeded",
	"dead",
	"canceled",
] as const;

export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** Why a delivery is dead. The contract's list: some are not made yet. */
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

/** How a job ended that an attempt had begun. */
export interface JobEnd {
	at: number;
	/** Who told: the server by a callback, its response to a poll, or the clock. */
	by: "callback" | "poll" | "deadline";
	outcome: Outcome;
	/** What went wrong, for a person. */
	error: string | null;
}

/** One HTTP exchange. */
export interface Attempt extends Reported {
	/** From 1; the `sluice-attempt` header carried it. */
	number: number;
	at: number;
	durationMs: number;
	/** null when no response began. */
	statusCode: number | null;
	outcome: Outcome;
	/** What went wrong, for a person; null when a complete response came and its protocol reads no error in it. */
	error: string | null;
	/** The beginning of a textual response body. */
	excerpt: string | null;
	/** null or absent: it began no job, or one that still runs. */
	job?: JobEnd | null | undefined;
}

/** The model's output. */
export interface Result {
	data: EventData;
	contentType: string;
}

/** Why a delivery that has succeeded has no result although the model gave one. */
export type ResultOmitted = "too_large";

/** A delivery as the API reads it back. */
export interface DeliveryRecord {
	/** Orders deliveries of one endpoint by age; see events/position.ts. */
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
	/** When it may be sent; null when it is over, under way, or waits for something that has no time. */
	nextAttemptAt: number | null;
	/** While it waits for the output of a job: until when. */
	deadlineAt: number | null;
	/** Why it is not sent although it is due; null when it is not due, or goes at once. */
	blockedBy: BlockedBy | null;
	/** When that ends by itself; never in the past, null where only an event ends it. */
	blockedUntil: number | null;
	createdAt: number;
	finishedAt: number | null;
	result: Result | null;
	resultOmitted: ResultOmitted | null;
	resultEventId: string | null;
}

export interface DeliveryQuery {
	subscriptionId?: string;
	status?: DeliveryStatus;
	reason?: string;
	/** Created at or after, and before. */
	since?: number;
	until?: number;
	/** Only positions below this one. */
	before?: number;
	limit: number;
}

/** What the API tells a dispatcher of a change to its settings. */
export interface SettingsChange {
	/** Somebody has repaired the endpoint: waits that it asked for before no longer count. */
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
