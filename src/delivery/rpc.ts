/** The RPC methods of a dispatcher that other rooms call. Shapes only. */
import type { Slice } from "../events/position.ts";
import type { BulkAnswer, BulkOrder, BulkPart } from "./bulk/order.ts";
import type { BlockedBy } from "./gates/gates.ts";
import type { CalledBack, Callback } from "./callback.ts";
import type { LeasedJob, Outcome } from "./hands/job.ts";
import type { IncomingEvent } from "./ledger/inbox/incoming.ts";
import type { Recent } from "./recent.ts";
import type { Change, DeliveryQuery, DeliveryRecord, SettingsChange } from "./records.ts";

/** Why nothing is sent to an endpoint now, and when that ends without an event (ms since the epoch). */
export interface Blocked {
	/**
	 * A gate, or `database`: the endpoint's settings cannot be read, and nothing is sent without them.
	 */
	blockedBy: BlockedBy | null;
	/** null: only an event ends it. */
	blockedUntil: number | null;
}

/** An endpoint's health. */
export interface Health extends Blocked {
	/** Exchanges in progress. */
	inFlight: number;
	/**
	 * How many exchanges the endpoint has been found to take at once; null: no limit below
	 * `max_concurrency` is known.
	 */
	limit: number | null;
	/** Deliveries that the server has accepted and whose output comes later. */
	waiting: number;
	/**
	 * Deliveries that are owed, including those in progress and those that wait for
	 * output.
	 */
	backlog: number;
	/** When the oldest of them arrived, ms since the epoch; null: there is none. */
	oldestPendingAt: number | null;
	recent: Recent;
}

export interface Enqueued {
	/** Ids of the deliveries that did not fit. */
	full: string[];
}

export interface DispatcherRpc extends Rpc.DurableObjectBranded {
	/**
	 * Accepts deliveries. All are durable when this returns, except those that did not fit.
	 * Idempotent. An object that still runs release 0.1 returns nothing and has accepted all of them.
	 */
	enqueue(items: IncomingEvent[]): Promise<Enqueued | undefined>;
	/**
	 * The endpoint or one of its subscriptions has changed, or was paused or resumed. Release 0.1
	 * sends no argument.
	 */
	refresh(change?: SettingsChange): void;
	/**
	 * The endpoint has been deleted: its pending deliveries end, even if the database cannot be
	 * read.
	 */
	markDeleted(): void;
	/** Newest first. One call looks at a bounded part and returns where it stopped. */
	list(query: DeliveryQuery): Promise<Slice<DeliveryRecord>>;
	get(id: string): Promise<DeliveryRecord | null>;
	blocked(): Blocked;
	/** Read-only. An object that runs the previous release has no such method and throws. */
	health(): Health;
	/** Sends a delivery again, or sooner; it keeps its id and its attempts. */
	retry(id: string): Promise<Change>;
	cancel(id: string): Promise<Change>;
	/**
	 * Retries or cancels the deliveries that the order selects, in slices, and returns its progress. Sending the same
	 * order again only returns the progress. `isBegun`: the dispatcher has reported before that it began, and must not
	 * start the order again. An object that runs the previous release has no such method and throws.
	 */
	bulk(order: BulkOrder, isBegun?: boolean): Promise<BulkAnswer>;
	/** Stops the order; changes that were already made remain. null: there is no such order here. */
	stopBulk(id: string): BulkPart | null;
	/**
	 * A model server reports in a callback how a job ended. When this returns that it was taken, the
	 * end is stored. An object that runs the previous release has no such method: the server sends the
	 * callback again.
	 */
	callBack(id: string, callback: Callback): Promise<CalledBack>;
	/**
	 * A hand reports how exchanges ended and gets its next jobs. When this returns, the outcomes are
	 * written, or kept in memory if the write failed. Repeated or late reports do not change what is
	 * already settled. Throws if the settings cannot be read and an outcome is reported that this life
	 * of the dispatcher did not expect: the hand reports it again.
	 */
	settle(hand: number, incarnation: string, outcomes: Outcome[]): Promise<LeasedJob[]>;
}
