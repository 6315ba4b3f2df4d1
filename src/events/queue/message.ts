/**
 * The body of a queue message: a segment of events, or, if they are too large for a message, a reference to them in
 * the event log.
 */
import * as z from "zod";
import type { SluiceEvent } from "../event.ts";
import { decodeSegment } from "./segment.ts";

export type Message = { kind: "events"; events: SluiceEvent[] } | ({ kind: "spilled" } & SpillReference);

export interface SpillReference {
	/** The event log that holds the events. It has the id of their source, unless they are results. */
	logId: string;
	/** The key they were stored under. */
	key: string;
}

/** The beginning of every reference, which distinguishes it from a segment without parsing either. */
const REFERENCE_START = '{"v":1,"spilled":';

const reference = z.object({
	v: z.literal(1),
	spilled: z.object({ source_id: z.string().min(1), key: z.string().min(1) }),
});

export function encodeReference({ logId, key }: SpillReference): string {
	return JSON.stringify({ v: 1, spilled: { source_id: logId, key } } satisfies z.infer<typeof reference>);
}

/** Throws if `body` is neither, which is a bug or a message of a newer version. */
export function decodeMessage(body: unknown): Message {
	if (typeof body !== "string") throw new Error(`a queue message is text, not ${typeof body}`);
	if (!body.startsWith(REFERENCE_START)) return { kind: "events", events: decodeSegment(body) };
	const { spilled } = reference.parse(JSON.parse(body));
	return { kind: "spilled", logId: spilled.source_id, key: spilled.key };
}
