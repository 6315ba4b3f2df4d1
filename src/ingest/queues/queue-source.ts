/**
 * Events that come by a queue of Cloudflare which this Worker consumes besides its own: each message goes to the
 * source that names the queue in its settings.
 */
import type { Env } from "../../env.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { describeRefusal } from "../../http/refusal.ts";
import { log } from "../../log.ts";
import type { Source } from "../../store/records.ts";
import { findSourceOfQueue } from "../../store/sources.ts";
import { enqueue } from "../../events/queue/enqueue.ts";
import { readMessage } from "./take-message.ts";

const KNOWN_MS = 10_000;
/** How long after that it still serves while D1 fails, as the copies in KV do. */
const STALE_MS = 86_400_000;
/** Messages that nobody takes come again after this, until the queue's own max_retries. */
const NOBODY_RETRY_SECONDS = 30;

interface Remembered {
	source: Source;
	until: number;
}

/** By name of the queue: as many as wrangler.toml names. */
const memory = new Map<string, Remembered>();

/**
 * The queue handler for every queue but the router's own. Acknowledges what the router's queue holds. When nothing can
 * be accepted now, the whole batch is asked for again.
 */
export async function takeBatch(batch: MessageBatch, env: Env): Promise<void> {
	const now = Date.now();
	const source = await lookUp(env, batch.queue, now);
	if (source === null || source.status === "paused") {
		const reason = source === null ? "no source names this queue" : "the source is paused";
		log("ingest.unclaimed", { queue: batch.queue, messages: batch.messages.length, reason });
		batch.retryAll({ delaySeconds: NOBODY_RETRY_SECONDS });
		return;
	}
	const { readable, events } = await readAll(source, batch.messages, now);
	const queued = events.length > 0 ? await enqueue(env, events) : null;
	if (queued?.ok === false) {
		log("ingest.failed", { source: source.name, error: describeRefusal(queued) });
		batch.retryAll();
		return;
	}
	for (const message of readable) message.ack();
	log("ingest.consumed", {
		source: source.name,
		messages: batch.messages.length,
		refused: batch.messages.length - readable.length,
		event_ids: events.slice(0, 10).map(({ id }) => id),
		count: events.length,
	});
}

/** Messages that the kind refuses are asked for again, which takes them to the queue's dead-letter queue. */
async function readAll(
	source: Source,
	messages: readonly Message[],
	now: number,
): Promise<{ readable: Message[]; events: SluiceEvent[] }> {
	const readable: Message[] = [];
	const events: SluiceEvent[] = [];
	for (const message of messages) {
		const read = await readMessage(source, textOf(message.body), now);
		if (!read.ok) {
			log("ingest.refused", { source: source.name, message_id: message.id, code: read.code });
			message.retry();
			continue;
		}
		readable.push(message);
		events.push(...read.events);
	}
	return { readable, events };
}

/** Messages of content type `json`, as R2 sends them, come parsed: their spelling is gone before we see them. */
function textOf(body: unknown): string {
	if (typeof body === "string") return body;
	try {
		return JSON.stringify(body) ?? "";
	} catch {
		// A message of content type `v8` may hold what JSON cannot say, and so is no notification.
		return "";
	}
}

async function lookUp(env: Env, queue: string, now: number): Promise<Source | null> {
	const remembered = memory.get(queue);
	if (remembered !== undefined && remembered.until > now) return remembered.source;
	let source: Awaited<ReturnType<typeof findSourceOfQueue>>;
	try {
		source = await findSourceOfQueue(env, queue);
	} catch (error) {
		// Waiting for D1 would bring the messages nearer to the end of their retries each time.
		if (remembered === undefined || now - remembered.until > STALE_MS) throw error;
		log("ingest.stale_source", { queue, error: String(error) });
		return remembered.source;
	}
	// Only what is found: a new source's messages need not wait for an old one to be forgotten.
	if (source === null) memory.delete(queue);
	else memory.set(queue, { source, until: now + KNOWN_MS });
	return source;
}
