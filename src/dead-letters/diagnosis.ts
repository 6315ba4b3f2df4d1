/**
 * Why a message ended in the dead-letter queue, as far as the message itself says it. The error of its last try is in the
 * Worker's log alone, so it is read once more. Pure.
 */
import { decodeMessage } from "../events/queue/message.ts";
import { sourceIdOfLog } from "../events/ids.ts";

export const DEAD_LETTER_CODES = ["unreadable", "routing_failed"] as const;

export interface Diagnosis {
	/** unreadable: no release of this form can read it. routing_failed: it can be read; what came after failed. */
	code: (typeof DEAD_LETTER_CODES)[number];
	/** For a person. */
	message: string;
	/** `src_…`; null: it cannot be read. */
	sourceId: string | null;
	/** The first of its events; none where they are not in the message, or cannot be read. */
	eventIds: string[];
	/** null: not known. */
	eventCount: number | null;
}

/** Ids of a message that are kept; a batch may have thousands. */
const MAX_EVENT_IDS = 100;
const MAX_MESSAGE_LENGTH = 500;

/** `body`: as the queue delivered it. */
export function diagnose(body: unknown): Diagnosis {
	const nothing = { sourceId: null, eventIds: [], eventCount: null };
	try {
		const message = decodeMessage(body);
		const failed = { code: "routing_failed" } as const;
		if (message.kind === "spilled") {
			const text = "The message refers to events in the event log, and routing them has failed.";
			return { ...failed, ...nothing, message: text, sourceId: sourceIdOfLog(message.logId) };
		}
		const { events } = message;
		return {
			...failed,
			message:
				"The message can be read, and routing its events has failed: see router.failed in the Worker's log.",
			sourceId: events[0]?.sourceId ?? null,
			eventIds: events.slice(0, MAX_EVENT_IDS).map(({ id }) => id),
			eventCount: events.length,
		};
	} catch (error) {
		// What is wrong with it, and nothing of it: zod quotes no values, a JSON error quotes some text.
		const said = error instanceof SyntaxError ? "its first line is no JSON" : String(error);
		const message = `The message cannot be read: ${said}`.slice(0, MAX_MESSAGE_LENGTH);
		return { code: "unreadable", ...nothing, message };
	}
}
