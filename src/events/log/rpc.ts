/** The RPC interface of an event log. Types only. */
import type { Decision } from "../event.ts";
import type { Slice } from "../position.ts";
import type { Refusal } from "./refusals.ts";
import type { KnownEntry, LogEntry, LogQuery, NewEntry } from "./entry.ts";

export interface EventLogRpc extends Rpc.DurableObjectBranded {
	/**
	 * Stores the new events in one transaction. Returns for each entry null if it is new, else the decisions made when
	 * it first arrived, which must be carried out instead of the new ones. A `bounded` list may be shorter than
	 * `entries`: the rest was not processed and must be passed again. The router of release 0.1 knows neither bounds
	 * nor times, and gets only the decisions of all entries.
	 */
	append(entries: NewEntry[], bounded?: boolean): Promise<(KnownEntry | Decision[] | null)[]>;
	/**
	 * Stores events that are too large for the queue until they are routed. Throws if too many are waiting, because a
	 * return value could be ignored and the events lost.
	 */
	spill(key: string, segments: string[]): Promise<void>;
	/** Returns the segments stored under `key`, in order. Empty if they were routed and dropped. */
	readSpilled(key: string): string[];
	dropSpilled(key: string): void;
	/**
	 * Stores that dispatchers had no room for these deliveries, or have accepted them later. Idempotent. Skips deleted
	 * events, and those outside of the window unless there is only one.
	 */
	noteRefused(refusals: Refusal[], isRefused: boolean): void;
	/**
	 * Returns when the newest event was stored, ms since the epoch, or null. An object of the previous release throws.
	 */
	newestAt(): number | null;
	get(id: string): LogEntry | null;
	/** Lists entries, newest first, without payloads. One call scans a bounded part and returns where it stopped. */
	list(query: LogQuery): Slice<LogEntry>;
}
