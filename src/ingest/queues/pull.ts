/**
 * One polling round: messages are received, accepted into the router's queue and only then deleted (at least once).
 * Messages that were not accepted are not deleted: SQS delivers them again after the visibility timeout, until the
 * queue's redrive policy removes them.
 */
import type { Env } from "../../env.ts";
import { MAX_EVENT_BYTES, type SluiceEvent } from "../../events/event.ts";
import { splitBySize } from "../../events/queue/segment.ts";
import { describeRefusal } from "../../http/refusal.ts";
import { log } from "../../log.ts";
import type { Source } from "../../store/records.ts";
import { enqueue } from "../../events/queue/enqueue.ts";
import { deleteMessages, receiveMessages, type SqsMessage, type SqsQueue } from "./sqs-client.ts";
import { readMessage } from "./take-message.ts";

export type Pulled = { kind: "polled"; messages: number } | { kind: "failed"; error: string };

/** Runs a round. `signal` aborts it before any message is accepted. Never throws. */
export async function pull(env: Env, source: Source, queue: SqsQueue, signal: AbortSignal): Promise<Pulled> {
	const received = await receiveMessages(queue, signal);
	if (!received.ok) return { kind: "failed", error: received.error };
	const messages = received.value;
	if (signal.aborted || messages.length === 0) return { kind: "polled", messages: 0 };
	const { readable, events } = await readAll(source, messages);
	// The same limit as for a request: ten messages of the maximum size could not be routed together.
	for (const run of splitBySize(events, MAX_EVENT_BYTES)) {
		const queued = await enqueue(env, run);
		if (!queued.ok)
			return { kind: "failed", error: `not all events were accepted: ${describeRefusal(queued)}` };
	}
	const deleted = readable.length === 0 ? null : await deleteMessages(queue, readable);
	const undeleted = deleted?.ok === true ? deleted.value : [];
	log("ingest.pulled", {
		source: source.name,
		messages: messages.length,
		refused: messages.length - readable.length,
		// They will be delivered again, but their events have the same ids and so create no duplicates.
		undeleted: undeleted.length > 0 ? undeleted : undefined,
		event_ids: events.slice(0, 10).map(({ id }) => id),
		count: events.length,
	});
	if (deleted?.ok === false) return { kind: "failed", error: deleted.error };
	return { kind: "polled", messages: messages.length };
}

/** Messages that the kind refuses stay in the queue; each is logged. */
async function readAll(
	source: Source,
	messages: readonly SqsMessage[],
): Promise<{ readable: SqsMessage[]; events: SluiceEvent[] }> {
	const readable: SqsMessage[] = [];
	const events: SluiceEvent[] = [];
	const now = Date.now();
	for (const message of messages) {
		const read = await readMessage(source, message.text, now);
		if (!read.ok) {
			log("ingest.refused", { source: source.name, message_id: message.id, code: read.code });
			continue;
		}
		readable.push(message);
		events.push(...read.events);
	}
	return { readable, events };
}
