/** The entries of the event log: events with their routing decisions. Types only. */
import type { Decision, SluiceEvent } from "../event.ts";

/** A stored event. Positions increase with time and are unique within a log. */
export interface LogEntry {
	position: number;
	event: SluiceEvent;
	decisions: Decision[];
}

export interface LogQuery {
	/** An exact type, or a prefix that ends with `*`. */
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
 * An entry that the log already has: the decisions made the first time, and when (ms).
 */
export interface KnownEntry {
	decisions: Decision[];
	storedAt: number;
}
