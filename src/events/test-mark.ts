/**
 * Marks test events, which are samples that the router sends through a source, or any event of a source that is only
 * for tests: an attribute that publishers cannot set, so that subscriptions can filter on it. A second attribute
 * requests decisions only, without deliveries; a third leaves out the subscriptions that do not name the source, so that
 * a test of the whole router reaches none of the models in production.
 */
import type { Attributes, SluiceEvent } from "./event.ts";
import { eventId } from "./ids.ts";

export const TEST_ATTRIBUTE = "sluicetest";
const UNDELIVERED_ATTRIBUTE = "sluiceundelivered";
const ONLY_NAMED_ATTRIBUTE = "sluiceonlynamed";

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

/** Returns whether only subscriptions that name the event's source receive it. */
export function isOnlyForNamed(attributes: Attributes): boolean {
	return attributes[ONLY_NAMED_ATTRIBUTE] === true;
}

/** Returns the attributes of events from a source that is only for tests. */
export function testSourceAttributes(isTest: boolean): Partial<Attributes> {
	return isTest ? { [TEST_ATTRIBUTE]: true, [ONLY_NAMED_ATTRIBUTE]: true } : {};
}

/** Returns the test attributes for events caused by a test event: they are part of the test too. */
export function testAttributes(cause: Attributes): Partial<Attributes> {
	if (isOnlyForNamed(cause)) return testSourceAttributes(true);
	return cause[TEST_ATTRIBUTE] === true ? { [TEST_ATTRIBUTE]: true } : {};
}
