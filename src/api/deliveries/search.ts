/** Finds deliveries by filters: at the dispatchers that may hold them, or by the decisions stored with an event. */
import * as z from "zod";
import { dispatcher } from "../../objects/clients.ts";
import {
	DEAD_REASONS,
	DELIVERY_STATUSES,
	type DeliveryQuery,
	type DeliveryRecord,
} from "../../delivery/records.ts";
import type { Env } from "../../env.ts";
import { eventLog } from "../../objects/clients.ts";
import type { Decision } from "../../events/event.ts";
import { sourceIdOf } from "../../events/ids.ts";
import type { Slice } from "../../events/position.ts";
import { findEndpoint, readEndpointIds } from "../../store/endpoints.ts";
import { findSubscription } from "../../store/subscriptions.ts";
import { type Owned, mergeNewest } from "../http/merge.ts";
import type { Place } from "../http/pages.ts";
import { invalidQuery, pageQuery } from "../http/query.ts";
import { timeField } from "../fields/times.ts";
import { named } from "../http/writes.ts";

export const deliveryListQuery = z.strictObject({
	...pageQuery,
	endpoint: z.string().optional(),
	subscription: z.string().optional(),
	event: z.string().optional(),
	status: z.enum(DELIVERY_STATUSES).optional(),
	reason: z.enum(DEAD_REASONS).optional(),
	since: timeField.optional(),
	until: timeField.optional(),
});

type Search = Omit<z.output<typeof deliveryListQuery>, keyof typeof pageQuery>;
type Filters = Omit<DeliveryQuery, "before" | "limit">;

/** Newest first. Throws 400 `invalid_query` for an endpoint, subscription or event that cannot be. */
export async function searchDeliveries(
	env: Env,
	{ endpoint, subscription, event, ...rest }: Search,
	page: { after: Place | null; limit: number },
): Promise<Slice<Owned<DeliveryRecord>>> {
	const [endpointId, subscriptionId] = await Promise.all([
		endpoint === undefined ? undefined : resolveEndpoint(env, endpoint),
		subscription === undefined ? undefined : resolveSubscription(env, subscription),
	]);
	const filters: Filters = named({ ...rest, subscriptionId });
	if (event !== undefined) return ofEvent(env, event, endpointId, filters, page);
	const owners = endpointId === undefined ? await readEndpointIds(env) : [endpointId];
	return mergeNewest(owners, page, (id, range) => dispatcher(env, id).list({ ...filters, ...range }));
}

/** The event's own decisions name its deliveries, so only their dispatchers are asked, and by id. */
async function ofEvent(
	env: Env,
	event: string,
	endpointId: string | undefined,
	filters: Filters,
	page: { after: Place | null; limit: number },
): Promise<Slice<Owned<DeliveryRecord>>> {
	const sourceId = sourceIdOf(event);
	if (sourceId === null) throw invalidQuery([{ path: "event", message: "not the id of an event" }]);
	const entry = await eventLog(env, sourceId).get(event);
	const byEndpoint = Map.groupBy(entry?.decisions ?? [], (decision) => decision.endpointId);
	const owners = [...byEndpoint.keys()].filter((id) => endpointId === undefined || id === endpointId);
	return mergeNewest(owners, page, async (id, { before = Number.MAX_SAFE_INTEGER, limit }) => {
		const found = await readDeliveries(env, byEndpoint.get(id) ?? []);
		const items = found
			.filter((delivery) => delivery.position < before && matches(delivery, filters))
			.sort((left, right) => right.position - left.position)
			.slice(0, limit);
		return { items, rest: null };
	});
}

/** A decision whose delivery has not reached its dispatcher yet, or has been forgotten there, finds nothing. */
async function readDeliveries(env: Env, decisions: readonly Decision[]): Promise<DeliveryRecord[]> {
	const found = await Promise.all(
		decisions.map(({ endpointId, deliveryId }) => dispatcher(env, endpointId).get(deliveryId)),
	);
	return found.filter((delivery) => delivery !== null);
}

/** The same filters as in the dispatcher's own list. */
function matches(delivery: DeliveryRecord, filters: Filters): boolean {
	const { subscriptionId, status, reason, since = 0, until = Number.MAX_SAFE_INTEGER } = filters;
	return (
		(subscriptionId === undefined || delivery.subscriptionId === subscriptionId) &&
		(status === undefined || delivery.status === status) &&
		(reason === undefined || delivery.reason === reason) &&
		delivery.createdAt >= since &&
		delivery.createdAt < until
	);
}

/** An id is taken as it is: deliveries of an endpoint that has been deleted can still be read. */
async function resolveEndpoint(env: Env, ref: string): Promise<string> {
	if (ref.startsWith("ep_")) return ref;
	const endpoint = await findEndpoint(env, ref);
	if (endpoint !== null) return endpoint.id;
	throw invalidQuery([{ path: "endpoint", message: `there is no endpoint ${ref}` }]);
}

/** Likewise. */
async function resolveSubscription(env: Env, ref: string): Promise<string> {
	if (ref.startsWith("sub_")) return ref;
	const subscription = await findSubscription(env, ref);
	if (subscription !== null) return subscription.id;
	throw invalidQuery([{ path: "subscription", message: `there is no subscription ${ref}` }]);
}
