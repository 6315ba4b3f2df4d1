/**
 * The state of a delivery, as a union that cannot represent invalid states: only waiting states have a due time, and
 * only final states have an end time. Pure shapes; lifecycle.ts makes the transitions. Times are ms since the epoch.
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
	/** What it waits for in addition to its due time, in words; null if the last attempt shows it. */
	detail: string | null;
}

/** A job that the server has accepted. */
export interface ModelJob {
	/** The server's id of the job; null: it gave none, and only a callback can report its end. */
	handle: string | null;
	/** The number of the attempt that began it. Absent: an earlier build began it. */
	attempt?: number | undefined;
	/**
	 * The job began without a callback URL, so it is polled whatever the current settings say. Absent: an earlier
	 * build began it.
	 */
	isPolled?: boolean | undefined;
	/** How often the server was polled without an output. */
	polls: number;
	/** The deadline for the output. */
	deadlineAt: number;
}

/** Accepted by the server; the output has not arrived yet. */
export interface Waiting {
	phase: "waiting";
	/** The next poll, or the deadline. */
	dueAt: number;
	/** Attempts that count against the schedule, without the one that waits. */
	spent: number;
	job: ModelJob;
}

/** The output has arrived; its result event is not in the queue yet. */
export interface Publishing {
	phase: "publishing";
	dueAt: number;
}

export interface Dead {
	phase: "dead";
	reason: DeadReason;
	/** Details of the reason, in words; null if the last attempt shows them. */
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

/** Deliveries that are still owed, by what they are due for. */
export type Owed = Pending | Waiting | Publishing;

/** An untried delivery, or one that starts again. */
export function fresh(dueAt: number): Pending {
	return { phase: "pending", dueAt, spent: 0, busy: null, detail: null };
}
