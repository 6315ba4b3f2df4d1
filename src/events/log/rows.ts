/** Conversion between the event log's entries and rows. Pure. */
import * as z from "zod";
import { decisionList } from "../decision.ts";
import type { Decision } from "../event.ts";
import type { LogEntry } from "./entry.ts";
import { HASH_LENGTH } from "../ids.ts";
import { decodeSegment } from "../queue/segment.ts";

/** The stored form. `seq` is the position of the first event. */
export type SegmentRow = { seq: number; segment: string; decisions: string };

const decisionLists = z.array(decisionList);

/** Returns the decisions of each event of a row, in order, or null if a newer release wrote them in another form. */
export function parseDecisions(text: string): Decision[][] | null {
	try {
		return decisionLists.parse(JSON.parse(text));
	} catch {
		return null;
	}
}

/** Returns the entries of a row, or null if a newer release wrote it in another form. */
export function entriesOf({ seq, segment, decisions }: SegmentRow): LogEntry[] | null {
	const lists = parseDecisions(decisions);
	if (lists === null) return null;
	try {
		return decodeSegment(segment).map((event, index) => ({
			position: seq + index,
			event,
			decisions: lists[index] ?? [],
		}));
	} catch {
		return null;
	}
}

export function withoutData({ event, ...entry }: LogEntry): LogEntry {
	return { ...entry, event: { ...event, data: null } };
}

export function hashOf(id: string): string {
	return id.slice(4, 4 + HASH_LENGTH);
}

/**
 * Returns text that a segment with such a type must contain, so that others are not decoded; "" matches every segment.
 */
export function textOfType(type: string | undefined): string {
	if (type === undefined || type === "*") return "";
	const literal = JSON.stringify(type.endsWith("*") ? type.slice(0, -1) : type);
	return `"type":${type.endsWith("*") ? literal.slice(0, -1) : literal}`;
}
