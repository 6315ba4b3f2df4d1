/**
 * Converts occurrences to events of the built-in source `sluice`, and recognises such events and their results. Pure.
 */
import type { SluiceEvent } from "../events/event.ts";
import { eventId, SLUICE_SOURCE_ID } from "../events/ids.ts";
import { CHAIN_ATTRIBUTE, chainOf } from "../events/lineage.ts";
import type { Occurrence } from "./occurrence.ts";
import { windowOf } from "./windows.ts";

const SOURCE = "/sluice";

/** Builds the event. `suppressed`: how many equal occurrences were not published since the last one. `now` in ms. */
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
		// Results and the lineage header inherit the chain, which marks every event that this one causes.
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
 * Returns whether an event is an operational event or was caused by one. Its deliveries publish no operational events,
 * because such events would cause themselves endlessly.
 */
export function isOperational({
	sourceId,
	attributes,
}: Pick<SluiceEvent, "sourceId" | "attributes">): boolean {
	return sourceId === SLUICE_SOURCE_ID || chainOf(attributes).includes(SLUICE_SOURCE_ID);
}
