/** An occurrence as an event of the built-in source `sluice`, and how such events and what comes of them are told. Pure. */
import type { SluiceEvent } from "../events/event.ts";
import { eventId, SLUICE_SOURCE_ID } from "../events/ids.ts";
import { CHAIN_ATTRIBUTE, chainOf } from "../events/lineage.ts";
import type { Occurrence } from "./occurrence.ts";
import { windowOf } from "./windows.ts";

const SOURCE = "/sluice";

/** `suppressed`: how often the same has happened since the last event that told it. `now` in ms. */
export function buildOperationalEvent(
	{ type, key, subject, data }: Occurrence,
	suppressed: number,
	now: number,
): SluiceEvent {
	const attributes = {
		id: `${type}:${key}:${windowOf(now)}`,
		source: SOURCE,
		type,
		subject,
		time: new Date(now).toISOString(),
		datacontenttype: "application/json",
		// Results inherit the chain, and the lineage header carries it: what comes of this event is known by it.
		[CHAIN_ATTRIBUTE]: SLUICE_SOURCE_ID,
	};
	return {
		id: eventId(SLUICE_SOURCE_ID, attributes),
		sourceId: SLUICE_SOURCE_ID,
		receivedAt: now,
		attributes,
		data: { kind: "json", text: JSON.stringify({ ...data, suppressed }) },
	};
}

/**
 * Whether an event is an operational one, or comes of one. What happens to its deliveries makes no operational event: it
 * would cause itself, again and again.
 */
export function isOperational({
	sourceId,
	attributes,
}: Pick<SluiceEvent, "sourceId" | "attributes">): boolean {
	return sourceId === SLUICE_SOURCE_ID || chainOf(attributes).includes(SLUICE_SOURCE_ID);
}
