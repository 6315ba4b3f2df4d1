/**
 * Segments: many events in one string. The first line is JSON with everything except the payloads. The payloads follow
 * it, unescaped, and are separated by their lengths. Queue messages, the event log and the dispatcher's inbox all
 * store segments: many events take one message or row, and payloads are never parsed or escaped on their way.
 */
import * as z from "zod";
import type { Attributes, EventData, SluiceEvent } from "../event.ts";

/** Base64. Workerd's queues truncate a message at its first NUL, so a segment must not contain one. */
const TEXT_WITH_NUL = "text_base64";

/**
 * The fields of every event. Everything else was checked when the event was accepted, and a batch may hold thousands.
 */
function isAttributes(value: unknown): boolean {
	if (typeof value !== "object" || value === null) return false;
	const { id, source, type } = value as Record<string, unknown>;
	return typeof id === "string" && typeof source === "string" && typeof type === "string";
}

const head = z.object({
	v: z.literal(1),
	events: z.array(
		z.object({
			id: z.string(),
			sourceId: z.string(),
			receivedAt: z.number(),
			attributes: z.custom<Attributes>(isAttributes),
			data: z
				.object({ kind: z.enum(["json", "text", "binary", TEXT_WITH_NUL]), length: z.number().int() })
				.nullable(),
		}),
	),
});
type Head = z.infer<typeof head>;

export function encodeSegment(events: readonly SluiceEvent[]): string {
	let payloads = "";
	const entries: Head["events"] = [];
	for (const { data, id, sourceId, receivedAt, attributes } of events) {
		const stored = data && toStored(data);
		payloads += stored?.payload ?? "";
		entries.push({
			id,
			sourceId,
			receivedAt,
			attributes,
			data: stored && { kind: stored.kind, length: stored.payload.length },
		});
	}
	return `${JSON.stringify({ v: 1, events: entries } satisfies Head)}\n${payloads}`;
}

/** Throws if `text` is not a segment, which is a bug or a message of a newer version, never a publisher's mistake. */
export function decodeSegment(text: string): SluiceEvent[] {
	const lineEnd = text.indexOf("\n");
	const { events } = head.parse(JSON.parse(text.slice(0, lineEnd)));
	let at = lineEnd + 1;
	return events.map(({ data, ...event }) => {
		if (data === null) return { ...event, data };
		const payload = text.slice(at, at + data.length);
		at += data.length;
		return { ...event, data: fromStored(data.kind, payload) };
	});
}

/**
 * Returns the events of a segment without their payloads, read only from its first line. Throws if that is not the
 * first line of a segment.
 */
export function decodeHead(line: string): Omit<SluiceEvent, "data">[] {
	return head.parse(JSON.parse(line)).events;
}

/** Splits a list into runs of up to `maxBytes`, in order. A larger item gets its own run. */
export function splitRuns<T>(items: readonly T[], bytesOf: (item: T) => number, maxBytes: number): T[][] {
	const runs: T[][] = [];
	let run: T[] = [];
	let size = 0;
	for (const item of items) {
		const bytes = bytesOf(item);
		if (run.length > 0 && size + bytes > maxBytes) {
			runs.push(run);
			run = [];
			size = 0;
		}
		run.push(item);
		size += bytes;
	}
	if (run.length > 0) runs.push(run);
	return runs;
}

/** Splits events into runs whose segments stay below `maxBytes`. */
export function splitBySize(events: readonly SluiceEvent[], maxBytes: number): SluiceEvent[][] {
	return splitRuns(events, estimateBytes, maxBytes);
}

/** Returns an upper bound for the size of the event in a segment. */
export function estimateBytes({ data, attributes }: SluiceEvent): number {
	const payload = data === null ? 0 : Buffer.byteLength(toStored(data).payload);
	// Ids, times and JSON punctuation of one entry of the head take less than 200 bytes.
	return payload + Buffer.byteLength(JSON.stringify(attributes)) + 200;
}

type StoredKind = EventData["kind"] | typeof TEXT_WITH_NUL;

function toStored(data: EventData): { kind: StoredKind; payload: string } {
	if (data.kind === "binary") return { kind: data.kind, payload: data.base64 };
	if (data.kind === "text" && data.text.includes("\0")) {
		return { kind: TEXT_WITH_NUL, payload: Buffer.from(data.text).toString("base64") };
	}
	return { kind: data.kind, payload: data.text };
}

function fromStored(kind: StoredKind, payload: string): EventData {
	if (kind === "binary") return { kind, base64: payload };
	if (kind === TEXT_WITH_NUL) return { kind: "text", text: Buffer.from(payload, "base64").toString() };
	return { kind, text: payload };
}
