/** What an event log can be called for by other rooms. Shapes only. */
import type { Decision } from "../event.ts";
import type { Slice } from "../position.ts";
import type { Refusal } from "./refusals.ts";
import type { KnownEntry, LogEntry, LogQuery, NewEntry } from "./entry.ts";

export interface EventLogRpc extends Rpc.DurableObjectBranded {
	/**
	 * Stores the events that are new, in one transaction. Returns for each entry null when it was new, else what was
	 * decided when it first came: that is to be carried out again, not the new decisions. A `bounded` list may be
	 * shorter than `entries`: the rest has not been looked at, and is to be handed in again. The router of release 0.1
	 * knows neither bounds nor times, and gets bare decisions for all of them.
	 */
	append(entries: NewEntry[], bounded?: boolean): Promise<(KnownEntry | Decision[] | null)[]>;
	/**
	 * Keeps events that are too large for the queue until they are routed. Throws while too many wait already: whoever
	 * took a return for a yes would lose them.
	 */
	spill(key: string, segments: string[]): Promise<void>;
	/** The segments stored under `key`, in order; empty when they have been routed and dropped. */
	readSpilled(key: string): string[];
	dropSpilled(key: string): void;
	/**
	 * Keeps that these deliveries found no room at their dispatchers, or that they did after all. Doing it twice is doing
	 * it once. Events that are forgotten are passed over, and so are those behind the window, unless it is only one.
	 */
	noteRefused(refusals: Refusal[], isRefused: boolean): void;
	/** When the newest event came, ms since the epoch; null: there is none. An object of the release before throws. */
	newestAt(): number | null;
	get(id: string): LogEntry | null;
	/** Newest first, without payloads. One call looks at a bounded part, and says where it has stopped. */
	list(query: LogQuery): Slice<LogEntry>;
}
