/**
 * Searches deliveries by filters: in the dispatchers that may have them, or through the decisions
 * stored with an event.
 */
import * as z from "zod";
import { dispatcher } from "../../objects/clients.ts";
import {
	DEAD_REASONS,
	DELIVERY_STATUSES,
	type DeliveryQuery,
	type DeliveryRecord,
} from "../../delivery/records.ts";
import { toRecord } from "../../delivery/record.ts";
import { isEventWanted, isStatusCodeWanted } from "../../delivery/ledger/queries/filters.ts";
import { refusedDelivery } from "../../delivery/ledger/refused/refused-delivery.ts";
import type { Env } from "../../env.ts";
import type { Decision } from "../../events/event.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { logIdOf } from "../../events/ids.ts";
import type { FieldError, Problem } from "../../http/problem.ts";
import type { Asker } from "../access/own.ts";
import { awaitEvent } from "../events/entry.ts";
import { onlySeen, type Seen, seenEndpoints } from "./seen.ts";
import { findEndpoint } from "../../store/resources/endpoints.ts";
import { type Names, readLikelyEndpoints } from "../../store/views/owners.ts";
import { findSubscription } from "../../store/resources/subscriptions.ts";
import type { Owned } from "../http/merge.ts";
import { listedOwners, type Owners, ownersOfTable } from "../http/owners.ts";
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
	status_code: z
		.string()
		.regex(/^[1-5]\d\d$/, "an HTTP status, 100 to 599")
		.transform(Number)
		.optional()
		.describe("The status code of the response to the last attempt."),
	subject: z.string().optional().describe("The complete subject of the event."),
	correlation_id: z
		.string()
		.optional()
		.describe("The event's correlationid, or its own id: all deliveries that one publisher's event led to."),
	since: timeField.optional(),
	until: timeField.optional(),
});

type Search = Omit<z.output<typeof deliveryListQuery>, keyof typeof pageQuery>;
type Filters = Omit<DeliveryQuery, "before" | "limit">;
/** `limit`: the maximum number of items. */
type Asked = { cursor: string | undefined; limit: number };
type Page = { items: Owned<DeliveryRecord>[]; nextCursor: string | null };

/**
 * One page of what the asker may see. Throws 400 `invalid_query` for an endpoint, subscription or
 * event that cannot exist, and 403 `forbidden` for an endpoint or a subscription outside the
 * asker's scope.
 */
export async function searchDeliveries(
	env: Env,
	{ endpoint, subscription, event, status_code, correlation_id, ...rest }: Search,
	page: Asked,
	asker: Asker,
): Promise<Page> {
	const { endpointId, subscriptionId } = await resolveRefs(env, { endpoint, subscription }, invalidQuery);
	const filters: Filters = named({
		...rest,
		subscriptionId,
		statusCode: status_code,
		correlationId: correlation_id,
	});
	const seen = await seenEndpoints(env, asker, { endpointId, subscriptionId });
	if (event !== undefined) return ofEvent(env, event, seen, filters, page);
	const owners = "ids" in seen ? listedOwners(seen.ids) : ofTable(env, seen.names, subscriptionId);
	return readWalk(LIST, owners, page, (id, range) => dispatcher(env, id).list({ ...filters, ...range }));
}

function ofTable(env: Env, names: Names, subscriptionId: string | undefined): Owners {
	const likely = (limit: number) => readLikelyEndpoints(env, limit, subscriptionId ?? null, names);
	return ownersOfTable(env, "endpoints", { likely, names });
}

/** The event's own decisions name its deliveries, so only their dispatchers are called, by id. */
async function ofEvent(env: Env, event: string, seen: Seen, filters: Filters, page: Asked): Promise<Page> {
	if (logIdOf(event) === null) throw invalidQuery([{ path: "event", message: "not the id of an event" }]);
	const entry = await awaitEvent(env, event);
	const byEndpoint = Map.groupBy(entry?.decisions ?? [], (decision) => decision.endpointId);
	const owners = await onlySeen(env, [...byEndpoint.keys()], seen);
	return readWalk(
		LIST,
		listedOwners(owners),
		page,
		async (id, { before = Number.MAX_SAFE_INTEGER, limit }) => {
			if (entry === null || !isEventWanted(entry.event, filters)) return { items: [], rest: null };
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
 * A decision whose delivery has not reached its dispatcher yet, or was deleted there, finds
 * nothing; a delivery that did not fit is known from the decision itself.
 */
async function readDeliveries(
	env: Env,
	decisions: readonly Decision[],
	entry: LogEntry | null,
): Promise<DeliveryRecord[]> {
	const found = await Promise.all(decisions.map((decision) => readDelivery(env, decision, entry)));
	return found.filter((delivery) => delivery !== null);
}

/**
 * The delivery of one decision; null if it has not reached its dispatcher yet, was deleted there,
 * or was never created.
 */
export async function readDelivery(
	env: Env,
	decision: Decision,
	entry: Pick<LogEntry, "position" | "event"> | null,
): Promise<DeliveryRecord | null> {
	if (decision.withheld === true) return null;
	const kept = await dispatcher(env, decision.endpointId).get(decision.deliveryId);
	if (kept !== null || entry === null || decision.refused === undefined) return kept;
	const { position, event } = entry;
	return toRecord(refusedDelivery({ position, eventId: event.id, decision }), false);
}

/** Applies the same filters as the dispatcher's own list. */
function matches(delivery: DeliveryRecord, filters: Filters): boolean {
	const { subscriptionId, status, reason, since = 0, until = Number.MAX_SAFE_INTEGER } = filters;
	return (
		(subscriptionId === undefined || delivery.subscriptionId === subscriptionId) &&
		(status === undefined || delivery.status === status) &&
		(reason === undefined || delivery.reason === reason) &&
		isStatusCodeWanted(delivery, filters) &&
		delivery.createdAt >= since &&
		delivery.createdAt < until
	);
}

/**
 * The ids of the resources that a search names. An id is used unchanged: deliveries of deleted
 * resources can still be found. Throws the result of `refuse` for an unknown name.
 */
export async function resolveRefs(
	env: Env,
	{ endpoint, subscription }: { endpoint: string | undefined; subscription: string | undefined },
	refuse: (errors: FieldError[]) => Problem,
): Promise<{ endpointId: string | undefined; subscriptionId: string | undefined }> {
	const missing = (path: string, ref: string) => refuse([{ path, message: `there is no ${path} ${ref}` }]);
	const resolve = async (
		path: "endpoint" | "subscription",
		ref: string | undefined,
		find: (env: Env, ref: string) => Promise<{ id: string } | null>,
	): Promise<string | undefined> => {
		if (ref === undefined || ref.startsWith(PREFIXES[path])) return ref;
		const found = await find(env, ref);
		if (found === null) throw missing(path, ref);
		return found.id;
	};
	const [endpointId, subscriptionId] = await Promise.all([
		resolve("endpoint", endpoint, findEndpoint),
		resolve("subscription", subscription, findSubscription),
	]);
	return { endpointId, subscriptionId };
}

const PREFIXES = { endpoint: "ep_", subscription: "sub_" } as const;
