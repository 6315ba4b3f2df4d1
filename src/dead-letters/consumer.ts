/**
 * Consumes the dead-letter queue of the event queue and stores its messages, which the queue would delete after some
 * days. A message is acknowledged once it is stored, and sent again before its retries are used up.
 */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { deadLetters } from "../objects/clients.ts";
import { diagnose } from "./diagnosis.ts";
import type { MessageBody, NewDeadLetter } from "./rpc.ts";

const FIRST_RETRY_SECONDS = 5;
const LONGEST_RETRY_SECONDS = 3_600;
/** Of a hundred tries. Reached after about two days, half of the queue's retention period. */
const MAX_TRIES = 60;

/** The queue handler. Never throws. */
export async function takeDeadLetters(batch: MessageBatch, env: Env): Promise<void> {
	const letters = batch.messages.map((message) => ({ message, letter: toLetter(message) }));
	const areKept = await keep(
		env,
		letters.map(({ letter }) => letter),
	);
	for (const { message, letter } of letters) {
		// If storing the batch failed, store one by one, so that a bad message does not block the others.
		const isKept = areKept || (letters.length > 1 && (await keep(env, [letter])));
		if (!isKept) await later(message, letter.body, env);
		else {
			message.ack();
			const { code, eventIds } = letter.diagnosis;
			log("dead_letter.kept", { message_id: message.id, code, event_ids: eventIds.slice(0, 10) });
		}
	}
}

async function keep(env: Env, letters: NewDeadLetter[]): Promise<boolean> {
	try {
		await deadLetters(env).keep(letters);
		return true;
	} catch (error) {
		log("dead_letter.unwritten", { messages: letters.length, error: String(error) });
		return false;
	}
}

/** Retries a message. Before the queue would drop it after a hundred tries, sends it again as a new message. */
async function later(message: Message, body: MessageBody, env: Env): Promise<void> {
	if (message.attempts >= MAX_TRIES) {
		try {
			await sendBody(env.EVENTS_DLQ, body);
			message.ack();
			return;
		} catch (error) {
			log("dead_letter.unwritten", { message_id: message.id, error: String(error) });
		}
	}
	const delaySeconds = Math.min(FIRST_RETRY_SECONDS * 2 ** (message.attempts - 1), LONGEST_RETRY_SECONDS);
	message.retry({ delaySeconds });
}

function toLetter({ id, timestamp, body }: Message): NewDeadLetter {
	return { messageId: id, queuedAt: timestamp.getTime(), body: toBody(body), diagnosis: diagnose(body) };
}

function toBody(body: unknown): MessageBody {
	if (typeof body === "string") return { kind: "text", text: body };
	if (body instanceof ArrayBuffer) return { kind: "bytes", text: Buffer.from(body).toString("base64") };
	return { kind: "json", text: JSON.stringify(body) ?? "null" };
}

/** Sends the body in its original form. Throws if the queue rejects it. */
export async function sendBody(queue: Queue<string>, { kind, text }: MessageBody): Promise<void> {
	const untyped = queue as Queue;
	if (kind === "text") await untyped.send(text, { contentType: "text" });
	else if (kind === "json") await untyped.send(JSON.parse(text), { contentType: "json" });
	// A view: the queue refuses the ArrayBuffer that it has delivered.
	else await untyped.send(new Uint8Array(Buffer.from(text, "base64")), { contentType: "bytes" });
}
