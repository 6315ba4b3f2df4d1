/**
 * Which deliveries follow from an event. No I/O: the same event and table give the same decisions, with the same
 * delivery ids, however often they are made.
 */
import { documentOf } from "../events/cloudevents/document.ts";
import type { Decision, SluiceEvent } from "../events/event.ts";
import type { TellWork } from "../events/expressions/expression.ts";
import { deliveryId } from "../events/ids.ts";
import { budgetOf, chainOf, hopsOf, MAX_HOPS } from "../events/lineage.ts";
import type { Subscription } from "../store/records.ts";
import { whyNot, type FilterSubject } from "../events/expressions/filters.ts";
import { DEFAULT_RESULT_BUDGET, divideBudget } from "./budget.ts";
import type { RoutingTable } from "./table.ts";

interface Match {
	subscription: Subscription;
	decision: Decision;
}

/** `tell` hears of the work that expressions do. `wholeBudget`: of an event of which nothing has been taken yet. */
export async function decide(
	event: SluiceEvent,
	table: RoutingTable,
	tell: TellWork = () => {},
	wholeBudget = DEFAULT_RESULT_BUDGET,
): Promise<Decision[]> {
	return judged(event, await matchesOf(event, table, tell), wholeBudget);
}

async function matchesOf(event: SluiceEvent, table: RoutingTable, tell: TellWork): Promise<Match[]> {
	const subject = { ...subjectOf(event), tell };
	const matches: Match[] = [];
	for (const subscription of table.candidates(event.sourceId, event.attributes.type)) {
		if ((await whyNot(subscription, subject)) !== null) continue;
		const endpoint = table.endpointOf(subscription);
		if (endpoint === null) continue;
		matches.push({
			subscription,
			decision: {
				deliveryId: deliveryId({
					eventId: event.id,
					subscriptionId: subscription.id,
					endpointId: endpoint.id,
				}),
				subscriptionId: subscription.id,
				subscriptionName: subscription.name,
				endpointId: endpoint.id,
				endpointRef: `${endpoint.name}@${endpoint.version}`,
			},
		});
	}
	return matches;
}

/**
 * Says which deliveries must not be made, and what may come of the others. Deliveries of a publisher's own event are not
 * counted, however many they are; what follows from each of them has a budget of its own.
 */
function judged({ attributes }: SluiceEvent, matches: readonly Match[], wholeBudget: number): Decision[] {
	const hops = hopsOf(attributes);
	if (hops === 0) return matches.map(({ decision }) => decision);
	const chain = new Set(chainOf(attributes));
	const loops = new Set(matches.filter(({ subscription }) => isLoop(hops, chain, subscription)));
	const children = matches.filter((match) => !loops.has(match));
	const shares = divideBudget(
		budgetOf(attributes) ?? wholeBudget,
		children.map(({ subscription: { id, result } }) => ({ subscriptionId: id, publishes: result !== null })),
	);
	return matches.map((match): Decision => {
		const { decision } = match;
		if (loops.has(match)) return { ...decision, dead: "loop" };
		const budget = shares.get(decision.subscriptionId);
		return budget === undefined ? { ...decision, dead: "loop", isOverBudget: true } : { ...decision, budget };
	});
}

/** Whether the delivery of an event through a subscription would end as `loop`. */
export function wouldLoop(
	{ attributes }: SluiceEvent,
	subscription: Pick<Subscription, "id" | "result">,
): boolean {
	const hops = hopsOf(attributes);
	return hops > 0 && isLoop(hops, new Set(chainOf(attributes)), subscription);
}

/**
 * True when an event would go round for ever: it is back at a subscription it came through, or deeper than that
 * subscription lets results go. One that publishes no results ends every chain of results, so it is only back there when
 * its endpoint has posted what it was sent.
 */
function isLoop(
	hops: number,
	chain: ReadonlySet<string>,
	{ id, result }: Pick<Subscription, "id" | "result">,
): boolean {
	if (hops > (result?.maxHops ?? MAX_HOPS + 1)) return true;
	return result?.allowCycles !== true && chain.has(id);
}

/** What filters look at; the payload is parsed only when one asks for it. */
export function subjectOf(event: SluiceEvent): FilterSubject {
	let document: Record<string, unknown> | null = null;
	return { attributes: event.attributes, document: () => (document ??= documentOf(event)) };
}
