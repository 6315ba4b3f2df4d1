/**
 * Where a delivery stands, as a union in which nonsense cannot be written down: only what waits has a time at which it
 * is due, only what is over has one at which it ended. Pure shapes; lifecycle.ts moves between them. Times are ms since
 * the epoch.
 */
import type { DeadReason } from "../records.ts";

/** Busy responses in a row. */
export interface Busy {
	count: number;
	/** When the first of them came. */
	since: number;
}

export interface Pending {
	phase: "pending";
	dueAt: number;
	/** Attempts that count against the schedule; busy responses do not. */
	spent: number;
	busy: Busy | null;
	/** What it waits for beyond its time, for a person; null where the last attempt says it. */
	detail: string | null;
}

/** A job that the server has taken. */
export interface ModelJob {
	/** By which the server knows it; null: it has named none, and only a callback can tell of it. */
	handle: string | null;
	/** How often the server was asked, and had no output yet. */
	polls: number;
	/** Until when the output is waited for. */
	deadlineAt: number;
}

/** Accepted by the server; the output has still to come. */
export interface Waiting {
	phase: "waiting";
	/** When the server is asked next, or the deadline. */
	dueAt: number;
	/** Attempts that count against the schedule, the one that waits left out. */
	spent: number;
	job: ModelJob;
}

/** The output is here; the queue has still to take its result event. */
export interface Publishing {
	phase: "publishing";
	dueAt: number;
}

export interface Dead {
	phase: "dead";
	reason: DeadReason;
	/** What the reason is about, for a person; null where the last attempt says it. */
	detail: string | null;
	finishedAt: number;
}

export interface Succeeded {
	phase: "succeeded";
	finishedAt: number;
}

export interface Canceled {
	phase: "canceled";
	finishedAt: number;
}

export type DeliveryState = Pending | Waiting | Publishing | Succeeded | Dead | Canceled;

/** What is still owed, by what it is due for. */
export type Owed = Pending | Waiting | Publishing;

/** An untried delivery, or one that begins anew. */
export function fresh(dueAt: number): Pending {
	return { phase: "pending", dueAt, spent: 0, busy: null, detail: null };
}
