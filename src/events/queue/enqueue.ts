/**
 * The only way into the queue; enqueued events are durable. All events of a request go into one message or, if they are
 * too large, into the event log with a message that refers to them.
 */
import { createHash } from "node:crypto";
import type { Env } from "../../env.ts";
import { eventLog } from "../../objects/clients.ts";
import { type EventData, MAX_EVENT_BYTES, type SluiceEvent } from "../event.ts";
import { logOf } from "../ids.ts";
import { encodeReference } from "./message.ts";
import { encodeSegment, splitBySize } from "./segment.ts";
import { type Refusal, refuse, refuseForNow } from "../../http/refusal.ts";

/** Cloudflare allows 128 KB (of 1,000 bytes), including about 100 bytes of metadata. */
export const MAX_MESSAGE_BYTES = 127_000;
/** A row of the event log may have 2 MB. Event sizes are upper bounds, and keys and columns take little. */
const MAX_SPILL_BYTES = 1_500_000;

const RETRY_AFTER_SECONDS = 5;
/** The queue's limit is a rate per second. */
const RETRY_AFTER_RATE_LIMIT_SECONDS = 1;

/**
 * Sends one or more events of one source to the queue. Returns `ok` once the queue holds them. Otherwise nothing was
 * accepted: 503 `queue_unavailable`, or 413 `event_too_large`.
 */
export async function enqueue(env: Env, events: readonly SluiceEvent[]): Promise<{ ok: true } | Refusal> {
	const segment = encodeSegment(events);
	const fits = Buffer.byteLength(segment) <= MAX_MESSAGE_BYTES;
	const refusal = fits ? null : refuseOversized(events);
	if (refusal !== null) return refusal;
	try {
		const message = fits ? segment : await spill(env, events);
		await env.EVENTS.send(message, { contentType: "text" });
		return { ok: true };
	} catch (error) {
		return unavailable(error);
	}
}

/** Stores the events in the event log. Returns the message that refers to them. */
async function spill(env: Env, events: readonly SluiceEvent[]): Promise<string> {
	const [first] = events;
	if (first === undefined) throw new Error("there are no events to store");
	const logId = logOf(first);
	const key = spillKey(events);
	const segments = splitBySize(events, MAX_SPILL_BYTES).map(encodeSegment);
	await eventLog(env, logId).spill(key, segments);
	return encodeReference({ logId, key });
}

/**
 * The same events get the same key, so that a publisher's retry is stored once. The first id alone is not sufficient:
 * another batch may begin with the same event.
 */
function spillKey(events: readonly SluiceEvent[]): string {
	const digest = createHash("sha256");
	for (const { id } of events) digest.update(`${id}\n`);
	return digest.digest("hex");
}

/** Refuses with 413 `event_too_large`, or returns null if `enqueue` can accept all events. */
export function refuseOversized(events: readonly SluiceEvent[]): Refusal | null {
	if (events.every(({ data }) => payloadBytes(data) <= MAX_EVENT_BYTES)) return null;
	return refuse(413, "event_too_large", `The data of an event can have at most ${MAX_EVENT_BYTES} bytes.`);
}

function payloadBytes(data: EventData | null): number {
	if (data === null) return 0;
	return data.kind === "binary" ? Buffer.byteLength(data.base64, "base64") : Buffer.byteLength(data.text);
}

function unavailable(cause: unknown): Refusal {
	const isRateLimit = /too many requests/i.test(String(cause));
	const retryAfterSeconds = isRateLimit ? RETRY_AFTER_RATE_LIMIT_SECONDS : RETRY_AFTER_SECONDS;
	return refuseForNow("queue_unavailable", "Nothing was accepted. Send the request again.", {
		retryAfterSeconds,
		cause,
	});
}
