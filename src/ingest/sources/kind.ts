/**
 * What a source kind is: how one sort of publisher proves itself by default, and how its requests become
 * CloudEvents. A kind is one file beside this one and one line in the registry.
 */
import type { CloudEvent } from "../../events/event.ts";
import type { Refusal } from "../../events/refusal.ts";
import type { Source, SourceAuth } from "../../store/records.ts";

/** A verified request. */
export interface ParseInput {
	source: Source;
	headers: Headers;
	body: Uint8Array;
	/** When it was received, ms since the epoch. */
	now: number;
	/** A new UUID, for an event whose publisher gave it no id. */
	freshId: string;
}

export type Parsed =
	| {
			ok: true;
			events: CloudEvent[];
			/** Whether the publisher sent a list, and so is answered with one. */
			batch: boolean;
			/** Settings of the source whose expression gave nothing usable; for the log. */
			unresolved?: readonly string[];
	  }
	| Refusal;

export interface SourceKind {
	/** The proof a new source asks for unless its creator names another. */
	readonly defaultAuth: SourceAuth;
	/** Never throws on anything a publisher can send. */
	parse(input: ParseInput): Promise<Parsed>;
	/** Answers a request by which a publisher asks for consent before it sends events; null when it is none. */
	answerHandshake?(request: Request): Response | null;
}
