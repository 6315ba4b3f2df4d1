/**
 * Where an event comes from: the attributes by which result events, and events that are posted with a lineage header
 * (lineage-header.ts), carry their history through the queue.
 */
import { isAttributeLength } from "./cloudevents/attributes.ts";
import type { Attributes, AttributeValue, SluiceEvent } from "./event.ts";

const CORRELATION_ATTRIBUTE = "correlationid";
/** How many results deep the event is; absent on a publisher's own event. */
export const HOPS_ATTRIBUTE = "sluicehops";
/** The subscriptions the event has come through, ids separated by commas. */
export const CHAIN_ATTRIBUTE = "sluicechain";
/** How many more requests may come of the event; absent while all of the budget is there. */
export const BUDGET_ATTRIBUTE = "sluicebudget";

/** The most results in a chain that a subscription may allow. */
export const MAX_HOPS = 64;

/** What an event that comes of a delivery has behind it. */
export interface Lineage {
	/** At least 1. */
	hops: number;
	/** Ids of subscriptions, oldest first. */
	chain: string[];
	/** How many requests may come of the event; null: as many as one that nothing has been taken from. */
	budget: number | null;
	/** One value for all that comes of one publisher's event. */
	correlationId: AttributeValue;
	/** `evt_…` of the event that was delivered. */
	causationId: string;
}

/** How many results deep an event is; 0 for a publisher's own. */
export function hopsOf(attributes: Attributes): number {
	return Number(attributes[HOPS_ATTRIBUTE] ?? 0);
}

/** Ids of the subscriptions an event has come through, oldest first. */
export function chainOf(attributes: Attributes): string[] {
	const chain = attributes[CHAIN_ATTRIBUTE];
	return typeof chain === "string" && chain !== "" ? chain.split(",") : [];
}

/** How many requests may come of an event; null when nothing says so. */
export function budgetOf(attributes: Attributes): number | null {
	const budget = attributes[BUDGET_ATTRIBUTE];
	return typeof budget === "number" ? budget : null;
}

/** The lineage of what comes of the delivery of `parent` through a subscription. `budget`: what it may pass on. */
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

/** One value for all that comes of one publisher's event, as text: what the event says of it, or the event's own id. */
export function correlationIdOf(event: Pick<SluiceEvent, "id" | "attributes">): string {
	return ownCorrelationId(event) ?? event.id;
}

/** As far as the event says so; null: nothing came before it, and its id stands for it. */
export function ownCorrelationId({ attributes }: Pick<SluiceEvent, "attributes">): string | null {
	const correlationId = fitting(attributes[CORRELATION_ATTRIBUTE]);
	return correlationId === undefined ? null : String(correlationId);
}

/** As attributes of the event; they replace what it says itself. */
export function lineageAttributes({ hops, chain, budget, correlationId, causationId }: Lineage) {
	return {
		[CORRELATION_ATTRIBUTE]: correlationId,
		causationid: causationId,
		[HOPS_ATTRIBUTE]: hops,
		[CHAIN_ATTRIBUTE]: chain.join(","),
		...(budget !== null && { [BUDGET_ATTRIBUTE]: budget }),
	};
}

/** Events that release 0.1 took may have attributes of any length; they are not handed on. */
export function fitting(value: AttributeValue | undefined): AttributeValue | undefined {
	return value !== undefined && isAttributeLength(value) ? value : undefined;
}
