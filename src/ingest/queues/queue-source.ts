/**
 * Events from Cloudflare queues that this Worker consumes besides its own. Each message goes to the source whose
 * settings name the queue.
 */
import type { Env } from "../../env.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { describeRefusal } from "../../http/refusal.ts";
import { log } from "../../log.ts";
import type { Source } from "../../store/records.ts";
import { findSourceOfQueue } from "../../store/resources/sources.ts";
import { enqueue } from "../../events/queue/enqueue.ts";
import { readMessage } from "./take-message.ts";

const KNOWN_MS = 10_000;
/** How long an expired entry may still be used while D1 fails, like the KV copies. */
const STALE_MS = 86_400_000;
/** Messages without an active source are retried after this delay, until the queue's max_retries. */
const NOBODY_RETRY_SECONDS = 30;

interface Remembered {
	source: Source;
	until: number;
}

/** By queue name. The size is bounded by wrangler.toml. */
const memory = new Map<string, Remembered>();

/**
 * The queue handler for all queues except the router's own. Acknowledges messages once the router's queue holds their
 * events. If nothing can be accepted, retries the whole batch.
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

/** Messages that the kind refuses are retried, and so end in the queue's dead-letter queue. */
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

/** Messages of content type `json`, as R2 sends them, arrive parsed, so their exact text is not available. */
function textOf(body: unknown): string {
	if (typeof body === "string") return body;
	try {
		return JSON.stringify(body) ?? "";
	} catch {
		// A message of content type `v8` may contain values that JSON cannot represent. It is not a notification.
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
		// Retrying until D1 recovers would use up the messages' retries.
		if (remembered === undefined || now - remembered.until > STALE_MS) throw error;
		log("ingest.stale_source", { queue, error: String(error) });
		return remembered.source;
	}
	// Cache only sources that exist, so that a new source receives its messages at once.
	if (source === null) memory.delete(queue);
	else memory.set(queue, { source, until: now + KNOWN_MS });
	return source;
}
