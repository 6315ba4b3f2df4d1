/**
 * Decides which deliveries an event causes. No I/O: the same event and table always give the same decisions and
 * delivery ids.
 */
import { documentOf } from "../events/cloudevents/document.ts";
import type { Decision, SluiceEvent } from "../events/event.ts";
import type { TellWork } from "../events/expressions/expression.ts";
import { deliveryId, SLUICE_SOURCE_ID } from "../events/ids.ts";
import { budgetOf, hopsOf } from "../events/lineage.ts";
import { loopCause } from "../events/loop.ts";
import { isOnlyForNamed, isUndelivered } from "../events/test-mark.ts";
import type { Subscription } from "../store/records.ts";
import { whyNot, type FilterSubject } from "../events/expressions/filters.ts";
import { DEFAULT_RESULT_BUDGET, divideBudget } from "./budget.ts";
import type { RoutingTable } from "./table.ts";

interface Match {
	subscription: Subscription;
	decision: Decision;
}

/** `tell` receives the work of the expressions. `wholeBudget`: the budget of an event that carries none. */
export async function decide(
	event: SluiceEvent,
	table: RoutingTable,
	tell: TellWork = () => {},
	wholeBudget = DEFAULT_RESULT_BUDGET,
): Promise<Decision[]> {
	const decisions = judged(event, await matchesOf(event, table, tell), wholeBudget);
	return isUndelivered(event.attributes)
		? decisions.map((decision) => ({ ...decision, withheld: true }))
		: decisions;
}

async function matchesOf(event: SluiceEvent, table: RoutingTable, tell: TellWork): Promise<Match[]> {
	const subject = { ...subjectOf(event), tell };
	const matches: Match[] = [];
	for (const subscription of candidatesFor(event, table)) {
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

/** Operational events and those of test sources are only for subscriptions that name their source. */
function candidatesFor({ sourceId, attributes }: SluiceEvent, table: RoutingTable): Subscription[] {
	const isForNamed = sourceId === SLUICE_SOURCE_ID || isOnlyForNamed(attributes);
	return table.candidates(sourceId, attributes.type, isForNamed);
}

/**
 * Marks the deliveries that must not be made, and assigns budgets to the others. Deliveries of a publisher's own event
 * are not limited; each of them gets its own budget.
 */
function judged({ attributes }: SluiceEvent, matches: readonly Match[], wholeBudget: number): Decision[] {
	if (hopsOf(attributes) === 0) return matches.map(({ decision }) => decision);
	const loops = new Set(matches.filter(({ subscription }) => loopCause(attributes, subscription) !== null));
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

/** The input of filters. The payload is parsed only when a filter uses it. */
export function subjectOf(event: SluiceEvent): FilterSubject {
	let document: Record<string, unknown> | null = null;
	return { attributes: event.attributes, document: () => (document ??= documentOf(event)) };
}
