/** What the event log takes and gives: an event with its routing decisions. Shapes only. */
import type { Decision, SluiceEvent } from "../event.ts";

/** An event as the log holds it. Positions grow with time and are unique within one log. */
export interface LogEntry {
	position: number;
	event: SluiceEvent;
	decisions: Decision[];
}

export interface LogQuery {
	/** Exact, or a prefix that ends in `*`. */
	type?: string;
	/** Stored at or after, and before; ms since the epoch. */
	since?: number;
	until?: number;
	/** Only entries at positions below this one. */
	before?: number;
	limit: number;
}

export type NewEntry = Pick<LogEntry, "event" | "decisions">;

/**
 * What the log returns about an entry that it already has: the decisions made the first time, and when that was (ms).
 */
export interface KnownEntry {
	decisions: Decision[];
	storedAt: number;
}
