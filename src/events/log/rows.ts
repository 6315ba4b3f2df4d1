/** What the event log stores and returns: entries, the rows they stand in, and how one becomes the other. Pure. */
import * as z from "zod";
import { decisionList } from "../decision.ts";
import type { Decision } from "../event.ts";
import type { LogEntry } from "./entry.ts";
import { HASH_LENGTH } from "../ids.ts";
import { decodeSegment } from "../queue/segment.ts";

/** As SQLite holds it; `seq` is the position of the first event. */
export type SegmentRow = { seq: number; segment: string; decisions: string };

const decisionLists = z.array(decisionList);

/** The decisions of each event of a row, in order; null when a newer release has written them in a form of its own. */
export function parseDecisions(text: string): Decision[][] | null {
	try {
		return decisionLists.parse(JSON.parse(text));
	} catch {
		return null;
	}
}

/** The entries of a row; null when a newer release has written it in a form of its own. */
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

/** Text that a segment holding such a type contains, so that others need not be decoded; "" is in every segment. */
export function textOfType(type: string | undefined): string {
	if (type === undefined || type === "*") return "";
	const literal = JSON.stringify(type.endsWith("*") ? type.slice(0, -1) : type);
	return `"type":${type.endsWith("*") ? literal.slice(0, -1) : literal}`;
}
