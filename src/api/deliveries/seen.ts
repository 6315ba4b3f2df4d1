/**
 * Whose deliveries a list shows: a subscriber's key names endpoints and subscriptions, and may see
 * the deliveries of either.
 */
import type { Env } from "../../env.ts";
import { readEndpointRefs, readMatchingEndpointIds } from "../../store/resources/endpoints.ts";
import { findSubscription } from "../../store/resources/subscriptions.ts";
import { type Asker, forbidden, ownNames } from "../access/own.ts";
import { covers } from "../access/principal.ts";

/** Endpoints of one key that its lists look at; later ones can be found by name. */
const MAX_OWN_ENDPOINTS = 1_000;

/** The ids of what the query names. */
interface Named {
	endpointId: string | undefined;
	subscriptionId: string | undefined;
}

/**
 * The endpoints in the query whose deliveries the asker may see, by id; null: all. A list that
 * names neither an endpoint nor a subscription shows the asker's endpoints. Throws 403 `forbidden`
 * if nothing that it names is in the asker's scope.
 */
export async function seenEndpoints(
	env: Env,
	asker: Asker,
	{ endpointId, subscriptionId }: Named,
): Promise<readonly string[] | null> {
	const asked = endpointId === undefined ? null : [endpointId];
	const [endpoints, subscriptions] = [ownNames(asker, "endpoints"), ownNames(asker, "subscriptions")];
	if (endpoints === null) return asked;
	if (subscriptionId !== undefined) {
		const name = (await findSubscription(env, subscriptionId))?.name;
		const isOwn = subscriptions === null || (name !== undefined && covers(subscriptions, name));
		if (isOwn) return asked;
		if (endpointId === undefined) throw forbidden(asker.principal, "subscriptions", name ?? subscriptionId);
	}
	if (endpointId === undefined) return readMatchingEndpointIds(env, endpoints, MAX_OWN_ENDPOINTS);
	const [name] = (await readEndpointRefs(env, [endpointId])).get(endpointId)?.split("@") ?? [];
	if (name !== undefined && covers(endpoints, name)) return asked;
	throw forbidden(asker.principal, "endpoints", name ?? endpointId);
}
