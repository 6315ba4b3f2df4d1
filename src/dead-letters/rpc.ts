/** Dead letters: what is stored of each message that could not be routed, and the store's RPC interface. Types only. */
import type { Slice } from "../events/position.ts";
import type { Diagnosis } from "./diagnosis.ts";

export const BODY_KINDS = ["text", "json", "bytes"] as const;

/** The body of a queue message in a form that can be sent again; `bytes` as base64. */
export interface MessageBody {
	kind: (typeof BODY_KINDS)[number];
	text: string;
}

/** A message from the dead-letter queue. */
export interface NewDeadLetter {
	/** The queue's message id. The same message may arrive twice. */
	messageId: string;
	/** When it entered the dead-letter queue, ms since the epoch. */
	queuedAt: number;
	body: MessageBody;
	diagnosis: Diagnosis;
}

export interface DeadLetter {
	position: number;
	/** `dead_…` */
	id: string;
	queuedAt: number;
	/** When it was stored, ms since the epoch. */
	receivedAt: number;
	diagnosis: Diagnosis;
}

export interface DeadLettersRpc extends Rpc.DurableObjectBranded {
	/** Stores messages atomically, and skips those already stored. They are durable when this returns. */
	keep(letters: NewDeadLetter[]): Promise<void>;
	/** Lists messages, newest first, without bodies. */
	list(query: { before?: number; limit: number }): Slice<DeadLetter>;
	get(id: string): (DeadLetter & { body: MessageBody }) | null;
	/** Returns false if the message does not exist. */
	remove(id: string): boolean;
}
