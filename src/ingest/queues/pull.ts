/**
 * One round of a source that is pulled: messages are received, accepted into the router's queue and only then
 * deleted, so each comes at least once. What was not accepted is not deleted: SQS shows it again after its
 * visibility timeout, and the queue's redrive policy takes it away after so many times.
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

/** `signal` ends the round before anything of it is accepted. Never throws. */
export async function pull(env: Env, source: Source, queue: SqsQueue, signal: AbortSignal): Promise<Pulled> {
	const received = await receiveMessages(queue, signal);
	if (!received.ok) return { kind: "failed", error: received.error };
	const messages = received.value;
	if (signal.aborted || messages.length === 0) return { kind: "polled", messages: 0 };
	const { readable, events } = await readAll(source, messages);
	// No more at once than a request may bring: ten messages of the largest size would not be routed in one go.
	for (const run of splitBySize(events, MAX_EVENT_BYTES)) {
		const queued = await enqueue(env, run);
		if (!queued.ok) return { kind: "failed", error: `not all was accepted: ${describeRefusal(queued)}` };
	}
	const deleted = readable.length === 0 ? null : await deleteMessages(queue, readable);
	const undeleted = deleted?.ok === true ? deleted.value : [];
	log("ingest.pulled", {
		source: source.name,
		messages: messages.length,
		refused: messages.length - readable.length,
		// They will come again, and create nothing new: their events have the same ids then.
		undeleted: undeleted.length > 0 ? undeleted : undefined,
		event_ids: events.slice(0, 10).map(({ id }) => id),
		count: events.length,
	});
	if (deleted?.ok === false) return { kind: "failed", error: deleted.error };
	return { kind: "polled", messages: messages.length };
}

/** Messages that the kind refuses are left in the queue, each with a line in the log. */
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
