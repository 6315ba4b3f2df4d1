/** The messages that could not be routed: what is kept of each, and what their store can be called for. Shapes only. */
import type { Slice } from "../events/position.ts";
import type { Diagnosis } from "./diagnosis.ts";

export const BODY_KINDS = ["text", "json", "bytes"] as const;

/** The body of a queue message, as it can be sent again: `bytes` as base64. */
export interface MessageBody {
	kind: (typeof BODY_KINDS)[number];
	text: string;
}

/** A message that the queue has given up. */
export interface NewDeadLetter {
	/** As the queue calls it: the same message may come twice. */
	messageId: string;
	/** When it came into the dead-letter queue, ms since the epoch. */
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
	/** Stores messages, all or none; one that is here already once. They are durable when this returns. */
	keep(letters: NewDeadLetter[]): Promise<void>;
	/** Newest first, without bodies. */
	list(query: { before?: number; limit: number }): Slice<DeadLetter>;
	get(id: string): (DeadLetter & { body: MessageBody }) | null;
	/** false when there is none. */
	remove(id: string): boolean;
}
