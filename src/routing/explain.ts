/** Why an event did not match a subscription: the same rules as in decide.ts, told instead of applied. */
import type { Env } from "../env.ts";
import type { SluiceEvent } from "../events/event.ts";
import { writeQuarantines } from "../store/write-quarantines.ts";
import { typeMatches } from "../events/cloudevents/type-pattern.ts";
import type { Subscription } from "../store/records.ts";
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
	const { status, sourceId, types, unreadable } = subscription;
	const { type } = event.attributes;
	if (unreadable !== undefined) return `its ${unreadable.join(", ")} cannot be read by this release`;
	if (status === "requested") return "the owner of its source has not granted it yet";
	if (status === "denied") return "the owner of its source has denied it";
	if (status !== "active") return "the subscription is paused";
	if (sourceId !== null && sourceId !== event.sourceId) return "it listens to another source";
	if (types.length > 0 && !types.some((pattern) => typeMatches(pattern, type))) {
		return `type ${type} is none of: ${types.join(", ")}`;
	}
	const filter = await whyNot(subscription, subjectOf(event));
	if (filter !== null) return filter;
	return table.endpointOf(subscription) === null ? "its endpoint has no version left" : null;
}
