/**
 * Lineage: the attributes that carry the history of result events, and of events posted with a lineage header
 * (lineage-header.ts), through the queue.
 */
import { isAttributeLength } from "./cloudevents/attributes.ts";
import type { Attributes, AttributeValue, SluiceEvent } from "./event.ts";

const CORRELATION_ATTRIBUTE = "correlationid";
/** How many results deep the event is; absent on a publisher's own event. */
export const HOPS_ATTRIBUTE = "sluicehops";
/** The subscriptions that the event has passed through, as ids separated by commas. */
export const CHAIN_ATTRIBUTE = "sluicechain";
/** How many more requests the event may cause. Absent: the whole budget. */
export const BUDGET_ATTRIBUTE = "sluicebudget";

/** The maximum of a subscription's max_hops. */
export const MAX_HOPS = 64;

/** The history of an event that a delivery caused. */
export interface Lineage {
	/** At least 1. */
	hops: number;
	/** Ids of subscriptions, oldest first. */
	chain: string[];
	/** How many requests the event may cause. null: the whole budget. */
	budget: number | null;
	/** The same value for all events caused by one publisher's event. */
	correlationId: AttributeValue;
	/** `evt_…` of the event that was delivered. */
	causationId: string;
}

/** Returns how many results deep an event is; 0 for a publisher's own event. */
export function hopsOf(attributes: Attributes): number {
	return Number(attributes[HOPS_ATTRIBUTE] ?? 0);
}

/** Returns the ids of the subscriptions that an event has passed through, oldest first. */
export function chainOf(attributes: Attributes): string[] {
	const chain = attributes[CHAIN_ATTRIBUTE];
	return typeof chain === "string" && chain !== "" ? chain.split(",") : [];
}

/** Returns how many requests an event may cause, or null if the event does not say. */
export function budgetOf(attributes: Attributes): number | null {
	const budget = attributes[BUDGET_ATTRIBUTE];
	return typeof budget === "number" ? budget : null;
}

/**
 * Returns the lineage of events caused by delivering `parent` through a subscription. `budget`: what it may pass on.
 */
export function lineageAfter(parent: SluiceEvent, subscriptionId: string, budget: number | null): Lineage {
	const { attributes } = parent;
	return {
		hops: hopsOf(attributes) + 1,
		chain: [...chainOf(attributes), subscriptionId],
		budget,
		correlationId: fitting(attributes[CORRELATION_ATTRIBUTE]) ?? parent.id,
		causationId: parent.id,
	};
}

/** Returns the correlation id as text: the one that the event carries, or else the event's own id. */
export function correlationIdOf(event: Pick<SluiceEvent, "id" | "attributes">): string {
	return ownCorrelationId(event) ?? event.id;
}

/** Returns the correlation id that the event carries, or null if it carries none. */
export function ownCorrelationId({ attributes }: Pick<SluiceEvent, "attributes">): string | null {
	const correlationId = fitting(attributes[CORRELATION_ATTRIBUTE]);
	return correlationId === undefined ? null : String(correlationId);
}

/** Returns the lineage as event attributes. They replace those that the event has itself. */
export function lineageAttributes({ hops, chain, budget, correlationId, causationId }: Lineage) {
	return {
		[CORRELATION_ATTRIBUTE]: correlationId,
		causationid: causationId,
		[HOPS_ATTRIBUTE]: hops,
		[CHAIN_ATTRIBUTE]: chain.join(","),
		...(budget !== null && { [BUDGET_ATTRIBUTE]: budget }),
	};
}

/** Drops values that are too long: release 0.1 accepted attributes of any length. */
export function fitting(value: AttributeValue | undefined): AttributeValue | undefined {
	return value !== undefined && isAttributeLength(value) ? value : undefined;
}
