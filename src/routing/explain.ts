/** Why an event did not match a subscription: the same rules as in decide.ts, told instead of applied. */
import type { Env } from "../env.ts";
import type { SluiceEvent } from "../events/event.ts";
import { writeQuarantines } from "../store/write-quarantines.ts";
import type { Subscription } from "../store/records.ts";
import { whyNotActive, whyNotSource, whyNotType } from "./criteria.ts";
import { subjectOf } from "./decide.ts";
import { whyNot } from "../events/expressions/filters.ts";
import { currentTable, type RoutingTable } from "./table.ts";

export interface Unmatched {
	subscription_id: string;
	subscription: string;
	reason: string;
}

/** Every subscription of now that the event does not match and `isShown` holds for, each with the first reason. */
export async function explain(
	env: Env,
	event: SluiceEvent,
	isShown: (subscription: Subscription) => boolean = () => true,
): Promise<Unmatched[]> {
	const table = await currentTable(env);
	const unmatched: Unmatched[] = [];
	for (const subscription of table.subscriptions) {
		if (!isShown(subscription)) continue;
		const reason = await reasonAgainst(event, subscription, table);
		if (reason === null) continue;
		unmatched.push({ subscription_id: subscription.id, subscription: subscription.name, reason });
	}
	await writeQuarantines(env);
	return unmatched;
}

async function reasonAgainst(
	event: SluiceEvent,
	subscription: Subscription,
	table: RoutingTable,
): Promise<string | null> {
	const plain =
		whyNotActive(subscription) ?? whyNotSource(subscription, event) ?? whyNotType(subscription, event);
	if (plain !== null) return plain;
	const filter = await whyNot(subscription, subjectOf(event));
	if (filter !== null) return filter;
	return table.endpointOf(subscription) === null ? "its endpoint has no version left" : null;
}
