/**
 * Segments: many events as one string. The first line is JSON with everything but the payloads; after it the
 * payloads stand one behind the other, unescaped, cut out again by their lengths. The queue message, the event
 * log and the dispatcher's inbox are all made of segments: one message or row for many events, and a payload
 * is never parsed or escaped on its way through.
 */
import * as z from "zod";
import type { Attributes, SluiceEvent } from "./event.ts";

const head = z.object({
	v: z.literal(1),
	events: z.array(
		z.object({
			id: z.string(),
			sourceId: z.string(),
			receivedAt: z.number(),
			attributes: z.custom<Attributes>((value) => typeof value === "object" && value !== null),
			data: z.object({ kind: z.enum(["json", "text", "binary"]), length: z.number().int() }).nullable(),
		}),
	),
});
type Head = z.infer<typeof head>;

export function encodeSegment(events: readonly SluiceEvent[]): string {
	let payloads = "";
	const entries: Head["events"] = [];
	for (const { data, id, sourceId, receivedAt, attributes } of events) {
		const text = data === null ? "" : payloadText(data);
		payloads += text;
		entries.push({
			id,
			sourceId,
			receivedAt,
			attributes,
			data: data && { kind: data.kind, length: text.length },
		});
	}
	return `${JSON.stringify({ v: 1, events: entries } satisfies Head)}\n${payloads}`;
}

/** Throws when `text` is no segment: a bug or a message of a newer version, never a publisher's mistake. */
export function decodeSegment(text: string): SluiceEvent[] {
	const lineEnd = text.indexOf("\n");
	const { events } = head.parse(JSON.parse(text.slice(0, lineEnd)));
	let at = lineEnd + 1;
	return events.map(({ data, ...event }) => {
		if (data === null) return { ...event, data };
		const payload = text.slice(at, at + data.length);
		at += data.length;
		return data.kind === "binary"
			? { ...event, data: { kind: data.kind, base64: payload } }
			: { ...event, data: { kind: data.kind, text: payload } };
	});
}

/**
 * Cuts a list of events into runs whose segments stay under `maxBytes`, in order. A single event that is
 * larger stands alone. Sizes are estimated from above; `beside` is what is stored along with an event.
 */
export function splitBySize(
	events: readonly SluiceEvent[],
	maxBytes: number,
	beside: (event: SluiceEvent) => number = () => 0,
): SluiceEvent[][] {
	const runs: SluiceEvent[][] = [];
	let run: SluiceEvent[] = [];
	let size = 0;
	for (const event of events) {
		const bytes = estimateBytes(event) + beside(event);
		if (run.length > 0 && size + bytes > maxBytes) {
			runs.push(run);
			run = [];
			size = 0;
		}
		run.push(event);
		size += bytes;
	}
	if (run.length > 0) runs.push(run);
	return runs;
}

function estimateBytes({ data, attributes }: SluiceEvent): number {
	const payload = data === null ? 0 : Buffer.byteLength(payloadText(data));
	// Ids, times and JSON punctuation of one entry of the head take less than 200 bytes.
	return payload + Buffer.byteLength(JSON.stringify(attributes)) + 200;
}

function payloadText(data: NonNullable<SluiceEvent["data"]>): string {
	return data.kind === "binary" ? data.base64 : data.text;
}
