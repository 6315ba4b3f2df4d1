/**
 * Marks test events, which the router creates when someone tests a source: an attribute that publishers cannot set, so
 * that subscriptions can filter on it. A second attribute requests decisions only, without deliveries.
 */
import type { Attributes, SluiceEvent } from "./event.ts";
import { eventId } from "./ids.ts";

export const TEST_ATTRIBUTE = "sluicetest";
const UNDELIVERED_ATTRIBUTE = "sluiceundelivered";

export interface TestMark {
	/** false: the event is logged with its decisions, but nothing is sent. */
	deliver: boolean;
}

/**
 * Returns the event unchanged if `mark` is null. An event that is not delivered gets a new id from `freshId`, so that a
 * later event of the publisher with the same id is not treated as a duplicate.
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

/** Returns whether the event's deliveries are decided but never made. */
export function isUndelivered(attributes: Attributes): boolean {
	return attributes[UNDELIVERED_ATTRIBUTE] === true;
}

/** Returns the test attribute for events caused by a test event: they are part of the test too. */
export function testAttributes(cause: Attributes): Partial<Attributes> {
	return cause[TEST_ATTRIBUTE] === true ? { [TEST_ATTRIBUTE]: true } : {};
}
