/**
 * Whose deliveries a list shows: a subscriber's key names endpoints and subscriptions, and may see
 * the deliveries of either.
 */
import type { Env } from "../../env.ts";
import { readEndpointRefs } from "../../store/resources/endpoints.ts";
import { findSubscription } from "../../store/resources/subscriptions.ts";
import { type Asker, forbidden, ownNames } from "../access/own.ts";
import { covers } from "../access/principal.ts";
import { type Names, readExisting } from "../../store/views/owners.ts";

/** The ids of what the query names. */
interface Named {
	endpointId: string | undefined;
	subscriptionId: string | undefined;
}

/** Endpoints by id, or all whose names match. */
export type Seen = { ids: readonly string[] } | { names: Names };

const ALL: Seen = { names: null };

/**
 * The endpoints in the query whose deliveries the asker may see. A list that
 * names neither an endpoint nor a subscription shows the asker's endpoints. Throws 403 `forbidden`
 * if nothing that it names is in the asker's scope.
 */
export async function seenEndpoints(
	env: Env,
	asker: Asker,
	{ endpointId, subscriptionId }: Named,
): Promise<Seen> {
	const asked = endpointId === undefined ? ALL : { ids: [endpointId] };
	const [endpoints, subscriptions] = [ownNames(asker, "endpoints"), ownNames(asker, "subscriptions")];
	if (endpoints === null) return asked;
	if (subscriptionId !== undefined) {
		const name = (await findSubscription(env, subscriptionId))?.name;
		const isOwn = subscriptions === null || (name !== undefined && covers(subscriptions, name));
		if (isOwn) return asked;
		if (endpointId === undefined) throw forbidden(asker.principal, "subscriptions", name ?? subscriptionId);
	}
	if (endpointId === undefined) return { names: endpoints };
	const [name] = (await readEndpointRefs(env, [endpointId])).get(endpointId)?.split("@") ?? [];
	if (name !== undefined && covers(endpoints, name)) return asked;
	throw forbidden(asker.principal, "endpoints", name ?? endpointId);
}

/** Those of `ids` that are seen; with names, only those that still exist. */
export async function onlySeen(env: Env, ids: readonly string[], seen: Seen): Promise<string[]> {
	if ("ids" in seen) return ids.filter((id) => seen.ids.includes(id));
	const { names } = seen;
	if (names === null) return [...ids];
	return readExisting(env, "endpoints", ids, names);
}
