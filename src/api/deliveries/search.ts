/** Finds deliveries by filters: at the dispatchers that may hold them, or by the decisions stored with an event. */
import * as z from "zod";
import { dispatcher } from "../../objects/clients.ts";
import {
	DEAD_REASONS,
	DELIVERY_STATUSES,
	type DeliveryQuery,
	type DeliveryRecord,
} from "../../delivery/records.ts";
import { toRecord } from "../../delivery/record.ts";
import { refusedDelivery } from "../../delivery/ledger/refused-delivery.ts";
import type { Env } from "../../env.ts";
import type { Decision } from "../../events/event.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { logIdOf } from "../../events/ids.ts";
import { findEvent } from "../../events/log/find.ts";
import type { Asker } from "../access/own.ts";
import { seenEndpoints } from "./seen.ts";
import { findEndpoint } from "../../store/endpoints.ts";
import { readLikelyEndpoints } from "../../store/owners.ts";
import { findSubscription } from "../../store/subscriptions.ts";
import type { Owned } from "../http/merge.ts";
import { listedOwners, ownersOfTable } from "../http/owners.ts";
import { invalidQuery, pageQuery } from "../http/query.ts";
import { timeField } from "../fields/times.ts";
import { readWalk } from "../http/walk.ts";
import { named } from "../http/writes.ts";

const LIST = "deliveries";

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
/** `limit`: items at the most. */
type Asked = { cursor: string | undefined; limit: number };
type Page = { items: Owned<DeliveryRecord>[]; nextCursor: string | null };

/**
 * One page of what the asker may see. Throws 400 `invalid_query` for an endpoint, subscription or event that cannot be, and
 * 403 `forbidden` for an endpoint or a subscription that is not the asker's.
 */
export async function searchDeliveries(
	env: Env,
	{ endpoint, subscription, event, ...rest }: Search,
	page: Asked,
	asker: Asker,
): Promise<Page> {
	const [endpointId, subscriptionId] = await Promise.all([
		endpoint === undefined ? undefined : resolveEndpoint(env, endpoint),
		subscription === undefined ? undefined : resolveSubscription(env, subscription),
	]);
	const filters: Filters = named({ ...rest, subscriptionId });
	const seen = await seenEndpoints(env, asker, { endpointId, subscriptionId });
	if (event !== undefined) return ofEvent(env, event, seen, filters, page);
	const likely = (limit: number) => readLikelyEndpoints(env, limit, subscriptionId ?? null);
	const owners = seen === null ? ownersOfTable(env, "endpoints", { likely }) : listedOwners(seen);
	return readWalk(LIST, owners, page, (id, range) => dispatcher(env, id).list({ ...filters, ...range }));
}

/** The event's own decisions name its deliveries, so only their dispatchers are asked, and by id. */
async function ofEvent(
	env: Env,
	event: string,
	seen: readonly string[] | null,
	filters: Filters,
	page: Asked,
): Promise<Page> {
	if (logIdOf(event) === null) throw invalidQuery([{ path: "event", message: "not the id of an event" }]);
	const entry = await findEvent(env, event);
	const byEndpoint = Map.groupBy(entry?.decisions ?? [], (decision) => decision.endpointId);
	const owners = [...byEndpoint.keys()].filter((id) => seen === null || seen.includes(id));
	return readWalk(
		LIST,
		listedOwners(owners),
		page,
		async (id, { before = Number.MAX_SAFE_INTEGER, limit }) => {
			const found = await readDeliveries(env, byEndpoint.get(id) ?? [], entry);
			const items = found
				.filter((delivery) => delivery.position < before && matches(delivery, filters))
				.sort((left, right) => right.position - left.position)
				.slice(0, limit);
			return { items, rest: null };
		},
	);
}

/**
 * A decision whose delivery has not reached its dispatcher yet, or has been forgotten there, finds nothing; but one that
 * there was no room for is known from the decision itself.
 */
async function readDeliveries(
	env: Env,
	decisions: readonly Decision[],
	entry: LogEntry | null,
): Promise<DeliveryRecord[]> {
	const found = await Promise.all(decisions.map((decision) => readDelivery(env, decision, entry)));
	return found.filter((delivery) => delivery !== null);
}

/** The delivery of one decision; null when it has not reached its dispatcher yet, or has been forgotten there. */
export async function readDelivery(
	env: Env,
	decision: Decision,
	entry: Pick<LogEntry, "position" | "event"> | null,
): Promise<DeliveryRecord | null> {
	const kept = await dispatcher(env, decision.endpointId).get(decision.deliveryId);
	if (kept !== null || entry === null || decision.refused === undefined) return kept;
	const { position, event } = entry;
	return toRecord(refusedDelivery({ position, eventId: event.id, decision }), false);
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
