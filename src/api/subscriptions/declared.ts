/** A subscription as its owner has declared it: the fields of the API, with names and no ids. */
import type { Subscription } from "../../store/records.ts";
import { type KnownNames, subscriptionToWire } from "./fields.ts";

/** null: a resource that it names does not exist. */
export function declaredSubscription(
	subscription: Subscription,
	names: KnownNames,
): Record<string, unknown> | null {
	const { sourceId, target } = subscription;
	if (sourceId !== null && !names.sources.has(sourceId)) return null;
	if ("endpointId" in target && !names.endpoints.has(target.endpointId)) return null;
	const { name, source, types, filters, transform, result } = subscriptionToWire(subscription, names);
	const endpoint =
		"latestOf" in target ? `${target.latestOf}@latest` : names.endpoints.get(target.endpointId);
	return { name, source, types, filters, targets: [{ endpoint }], transform, result };
}
