/**
 * Which deliveries follow from an event. No I/O: the same event and table give the same decisions, with the same
 * delivery ids, however often they are made.
 */
import { documentOf } from "../events/cloudevents/document.ts";
import type { Attributes, Decision, SluiceEvent } from "../events/event.ts";
import type { TellWork } from "../events/expressions/expression.ts";
import { deliveryId } from "../events/ids.ts";
import { chainOf, hopsOf } from "../events/lineage.ts";
import type { Subscription } from "../store/records.ts";
import { whyNot, type FilterSubject } from "../events/expressions/filters.ts";
import type { RoutingTable } from "./table.ts";

/** `tell` hears of the work that expressions do. */
export async function decide(
	event: SluiceEvent,
	table: RoutingTable,
	tell: TellWork = () => {},
): Promise<Decision[]> {
	const subject = { ...subjectOf(event), tell };
	const decisions: Decision[] = [];
	for (const subscription of table.candidates(event.sourceId, event.attributes.type)) {
		if ((await whyNot(subscription, subject)) !== null) continue;
		const endpoint = table.endpointOf(subscription);
		if (endpoint === null) continue;
		decisions.push({
			deliveryId: deliveryId({
				eventId: event.id,
				subscriptionId: subscription.id,
				endpointId: endpoint.id,
			}),
			subscriptionId: subscription.id,
			subscriptionName: subscription.name,
			endpointId: endpoint.id,
			endpointRef: `${endpoint.name}@${endpoint.version}`,
			...(isLoop(event.attributes, subscription) && { dead: "loop" as const }),
		});
	}
	return decisions;
}

/**
 * True when a result event would go round for ever: it is back at a subscription it came through, or deeper than
 * that subscription lets results go. One that publishes no results ends every chain and is no loop.
 */
function isLoop(attributes: Attributes, { id, result }: Subscription): boolean {
	if (result === null) return false;
	if (hopsOf(attributes) > result.maxHops) return true;
	return !result.allowCycles && chainOf(attributes).includes(id);
}

/** What filters look at; the payload is parsed only when one asks for it. */
export function subjectOf(event: SluiceEvent): FilterSubject {
	let document: Record<string, unknown> | null = null;
	return { attributes: event.attributes, document: () => (document ??= documentOf(event)) };
}
