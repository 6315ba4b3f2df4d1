/** The entries of a row of refused deliveries: how they are written and read, and which ones a search finds. Pure. */
import * as z from "zod";
import { storedDecision } from "../../../events/decision.ts";
import type { SluiceEvent } from "../../../events/event.ts";
import { ownCorrelationId } from "../../../events/lineage.ts";
import type { DeliveryFilters, DeliveryQuery } from "../../records.ts";
import { isPlaceWanted } from "../queries/filters.ts";
import type { RefusedEntry } from "./refused-delivery.ts";

const storedEntries = z.array(
	z.object({
		position: z.number(),
		eventId: z.string(),
		decision: storedDecision,
		subject: z.string().exactOptional(),
		correlationId: z.string().exactOptional(),
	}),
);

export function encodeEntries(entries: RefusedEntry[]): string {
	return JSON.stringify(entries satisfies z.infer<typeof storedEntries>);
}

/** An empty list if a newer release wrote them in its own form. */
export function decodeEntries(text: string): RefusedEntry[] {
	try {
		return storedEntries.parse(JSON.parse(text));
	} catch {
		return [];
	}
}

/** The fields of the event that a search needs; the event itself is not kept. */
export function searchedBy(event: SluiceEvent): Pick<RefusedEntry, "subject" | "correlationId"> {
	const { subject } = event.attributes;
	const correlationId = ownCorrelationId(event);
	return { ...(subject !== undefined && { subject }), ...(correlationId !== null && { correlationId }) };
}

export function isEntryWanted(
	entry: RefusedEntry,
	query: DeliveryFilters & Pick<DeliveryQuery, "before">,
): boolean {
	const { position, eventId, decision, subject, correlationId = eventId } = entry;
	return (
		isPlaceWanted({ position, eventId, subscriptionId: decision.subscriptionId }, query) &&
		(query.subject === undefined || query.subject === subject) &&
		(query.correlationId === undefined || query.correlationId === correlationId)
	);
}
