/** What a dispatcher can be called for by other rooms. Shapes only. */
import type { Slice } from "../events/position.ts";
import type { BlockedBy } from "./gates/gates.ts";
import type { CalledBack, Callback } from "./callback.ts";
import type { LeasedJob, Outcome } from "./hands/job.ts";
import type { IncomingEvent } from "./ledger/incoming.ts";
import type { Recent } from "./recent.ts";
import type { Change, DeliveryQuery, DeliveryRecord, SettingsChange } from "./records.ts";

/** Why nothing is sent to an endpoint now, and when that ends by itself (ms since the epoch). */
export interface Blocked {
	blockedBy: BlockedBy | null;
	/** null: only when something happens. */
	blockedUntil: number | null;
}

/** How an endpoint does. */
export interface Health extends Blocked {
	/** Exchanges under way. */
	inFlight: number;
	/** How many the endpoint has been found to take at once; null: nothing is known below `max_concurrency`. */
	limit: number | null;
	/** Deliveries that the server has accepted and whose output comes later. */
	waiting: number;
	/** Deliveries that are owed, those under way and waiting among them. */
	backlog: number;
	/** When the oldest of them came, ms since the epoch; null: there is none. */
	oldestPendingAt: number | null;
	recent: Recent;
}

export interface Enqueued {
	/** Ids of the deliveries that the endpoint has no room for. */
	full: string[];
}

export interface DispatcherRpc extends Rpc.DurableObjectBranded {
	/**
	 * Takes deliveries in; they are durable when this returns, but for those that there is no room for. Doing it twice
	 * is doing it once. An object that still runs release 0.1 returns nothing, and has taken all.
	 */
	enqueue(items: IncomingEvent[]): Promise<Enqueued | undefined>;
	/** The endpoint or a subscription to it has changed, or was paused or resumed. Release 0.1 says no more than that. */
	refresh(change?: SettingsChange): void;
	/** The endpoint has been deleted: what waits for it ends, whatever becomes of the database. */
	markDeleted(): void;
	/** Newest first. One call looks at a bounded part, and says where it has stopped. */
	list(query: DeliveryQuery): Promise<Slice<DeliveryRecord>>;
	get(id: string): Promise<DeliveryRecord | null>;
	blocked(): Blocked;
	/** Changes nothing. An object that runs the release before does not know the question, and throws. */
	health(): Health;
	/** Sends a delivery again, or sooner; it keeps its id and its attempts. */
	retry(id: string): Promise<Change>;
	cancel(id: string): Promise<Change>;
	/**
	 * A model server posts how a job ended. When it is taken, that is written. An object of the release before has no such
	 * method: the server calls again.
	 */
	callBack(id: string, callback: Callback): Promise<CalledBack>;
	/**
	 * A hand tells how exchanges ended, and gets its next jobs. When this returns, the outcomes are written, or kept in
	 * memory where the write failed; told twice or late, they change nothing that is settled. Throws while an end that this life of the dispatcher does not wait for
	 * cannot be judged, because the settings cannot be read: to be told again.
	 */
	settle(hand: number, incarnation: string, outcomes: Outcome[]): Promise<LeasedJob[]>;
}
