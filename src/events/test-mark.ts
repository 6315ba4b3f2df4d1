/**
 * The mark of an event that somebody had the router make to try a source: an attribute that no publisher can set, by which
 * subscriptions can leave it out. A second one asks for decisions only: nothing is sent.
 */
import type { Attributes, SluiceEvent } from "./event.ts";
import { eventId } from "./ids.ts";

export const TEST_ATTRIBUTE = "sluicetest";
const UNDELIVERED_ATTRIBUTE = "sluiceundelivered";

export interface TestMark {
	/** false: the event is logged with its decisions, and nothing is sent. */
	deliver: boolean;
}

/**
 * null leaves the event as it is. One that is not delivered gets an id of its own by `freshId`: a publisher's event with
 * the same id, which comes later, is no duplicate of it.
 */
export function markAsTest(
	event: SluiceEvent,
	mark: TestMark | null,
	freshId: () => string = () => crypto.randomUUID(),
): SluiceEvent {
	if (mark === null) return event;
	const { source, id: publisherId } = event.attributes;
	const id = mark.deliver
		? event.id
		: eventId(event.sourceId, { source, id: `${publisherId}\n${freshId()}` });
	const attributes: Attributes = {
		...event.attributes,
		[TEST_ATTRIBUTE]: true,
		...(!mark.deliver && { [UNDELIVERED_ATTRIBUTE]: true }),
	};
	return { ...event, id, attributes };
}

/** Whether the deliveries of an event are decided and never made. */
export function isUndelivered(attributes: Attributes): boolean {
	return attributes[UNDELIVERED_ATTRIBUTE] === true;
}

/** What comes of a test is part of the test. */
export function testAttributes(cause: Attributes): Partial<Attributes> {
	return cause[TEST_ATTRIBUTE] === true ? { [TEST_ATTRIBUTE]: true } : {};
}
