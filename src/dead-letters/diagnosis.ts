/**
 * Diagnoses why a message ended in the dead-letter queue, from the message itself: the error of its last try is only in
 * the Worker's log. Pure.
 */
import { decodeMessage } from "../events/queue/message.ts";
import { sourceIdOfLog } from "../events/ids.ts";

export const DEAD_LETTER_CODES = ["unreadable", "routing_failed"] as const;

export interface Diagnosis {
	/**
	 * unreadable: this release cannot read the message. routing_failed: the message is readable, but routing failed.
	 */
	code: (typeof DEAD_LETTER_CODES)[number];
	/** For a person. */
	message: string;
	/** `src_…`. null: unknown, because the message cannot be read. */
	sourceId: string | null;
	/** The first of its events. Empty if the message does not contain them or cannot be read. */
	eventIds: string[];
	/** null: unknown. */
	eventCount: number | null;
}

/** The maximum number of ids kept per message; a batch may have thousands. */
const MAX_EVENT_IDS = 100;
const MAX_MESSAGE_LENGTH = 500;

/** Diagnoses a message. `body`: as the queue delivered it. */
export function diagnose(body: unknown): Diagnosis {
	const nothing = { sourceId: null, eventIds: [], eventCount: null };
	try {
		const message = decodeMessage(body);
		const failed = { code: "routing_failed" } as const;
		if (message.kind === "spilled") {
			const text = "The message refers to events in the event log, and routing them failed.";
			return { ...failed, ...nothing, message: text, sourceId: sourceIdOfLog(message.logId) };
		}
		const { events } = message;
		return {
			...failed,
			message:
				"The message is readable, but routing its events failed. See router.failed in the Worker's log.",
			sourceId: events[0]?.sourceId ?? null,
			eventIds: events.slice(0, MAX_EVENT_IDS).map(({ id }) => id),
			eventCount: events.length,
		};
	} catch (error) {
		// The message must not quote the body. zod errors quote no values, but JSON errors quote some text.
		const said = error instanceof SyntaxError ? "its first line is not JSON" : String(error);
		const message = `The message cannot be read: ${said}`.slice(0, MAX_MESSAGE_LENGTH);
		return { code: "unreadable", ...nothing, message };
	}
}
