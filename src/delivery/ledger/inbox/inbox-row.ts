/** What a row of the inbox holds, and how it is read. A newer release may have written it in its own form. Pure. */
import * as z from "zod";
import { decisionList } from "../../../events/decision.ts";
import type { Decision, SluiceEvent } from "../../../events/event.ts";
import { decodeSegment } from "../../../events/queue/segment.ts";
import type { Incoming } from "./incoming.ts";

/** A row of the inbox without the payloads; the i-th entry is at position `seq` + i. */
export interface InboxRow {
	seq: number;
	entries: { eventId: string; decision: Decision }[];
	/** How many characters were read. */
	size: number;
}

/**
 * A row with its events, or the decisions alone if a newer release wrote the events in its own
 * form.
 */
export type NextInbox =
	| { seq: number; deliveries: Incoming[]; size: number }
	| { seq: number; unreadable: InboxRow["entries"] };

const storedDecisions = z.array(z.object({ eventId: z.string(), decisions: decisionList }));

export type StoredRow = { seq: number; decisions: string; segment: string };

export function readRow({ seq, decisions, segment }: StoredRow): NextInbox {
	const lists = parseDecisions(decisions) ?? [];
	const events = decodeOrNull(segment);
	if (events === null || events.length !== lists.length) return { seq, unreadable: entriesOf(lists) };
	let position = seq;
	const deliveries = lists.flatMap(({ decisions }, index) => {
		const event = events[index];
		return event === undefined
			? []
			: decisions.map((decision) => ({ position: position++, event, decision }));
	});
	return { seq, deliveries, size: decisions.length + segment.length };
}

function decodeOrNull(segment: string): SluiceEvent[] | null {
	try {
		return decodeSegment(segment);
	} catch {
		return null;
	}
}

export function entriesOf(lists: z.infer<typeof storedDecisions>): InboxRow["entries"] {
	return lists.flatMap(({ eventId, decisions }) => decisions.map((decision) => ({ eventId, decision })));
}

export function encodeDecisions(lists: z.infer<typeof storedDecisions>): string {
	return JSON.stringify(lists);
}

/** null if a newer release wrote them in its own form. */
export function parseDecisions(text: string): z.infer<typeof storedDecisions> | null {
	try {
		return storedDecisions.parse(JSON.parse(text));
	} catch {
		return null;
	}
}
