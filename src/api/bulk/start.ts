/**
 * Starts a bulk retry or cancel. The dispatchers do the work; the response says how to follow it.
 */
import type { Context } from "hono";
import type { BulkAction } from "../../delivery/bulk/order.ts";
import type { BulkRecord } from "../../delivery/bulk/rpc.ts";
import type { DeliveryFilters } from "../../delivery/records.ts";
import type { Env } from "../../env.ts";
import { logIdOf, newId } from "../../events/ids.ts";
import { bulkJob } from "../../objects/clients.ts";
import { recordChange } from "../access/audit.ts";
import { resolveRefs } from "../deliveries/search.ts";
import { onlySeen, type Seen, seenEndpoints } from "../deliveries/seen.ts";
import { awaitEvent } from "../events/entry.ts";
import { formatTime } from "../fields/times.ts";
import { invalidRequest, readJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { named } from "../http/writes.ts";
import { type BulkBody, bulkCancelSchema, bulkRetrySchema, FILTER_NAMES } from "./fields.ts";

/**
 * How far the clocks of two objects may differ: a delivery is created after its event, by another
 * object's clock.
 */
const CLOCK_SLACK_MS = 60_000;

/**
 * Returns the job after its first turn. Throws 422 `invalid_request`, also if no filter is set, and
 * 403 `forbidden` for an endpoint or a subscription outside the asker's scope.
 */
export async function startBulk(c: Context<ApiEnv>, action: BulkAction): Promise<BulkRecord> {
	const body: BulkBody = await readJson(c.req.raw, action === "retry" ? bulkRetrySchema : bulkCancelSchema);
	const { dry_run: dryRun = false, ...filters } = body;
	if (Object.values(filters).every((value) => value === undefined)) throw noFilter();
	const { filters: found, seen } = await scopeOf(c, filters);
	const id = newId("bulk");
	const given = asked(filters);
	const job = await bulkJob(c.env, id).begin({
		order: { id, action, dryRun, filters: found },
		endpointIds: "ids" in seen ? seen.ids : null,
		endpointNames: "names" in seen ? seen.names : null,
		startedBy: c.var.principal.id,
		asked: JSON.stringify(given),
	});
	if (!dryRun) {
		const after = { id, action, filters: given };
		await recordChange(c, { action: "create", resource: "bulk", before: null, after });
	}
	return job;
}

function noFilter() {
	const message = `give at least one of: ${FILTER_NAMES.join(", ")}`;
	return invalidRequest([{ path: "", message }]);
}

/** The filters as in the request. */
function asked({ since, until, ...rest }: Omit<BulkBody, "dry_run">): Record<string, unknown> {
	return named({
		...rest,
		since: since === undefined ? undefined : formatTime(since),
		until: until === undefined ? undefined : formatTime(until),
	});
}

interface Scope {
	filters: DeliveryFilters;
	seen: Seen;
}

async function scopeOf(
	{ env, var: asker }: Context<ApiEnv>,
	{ endpoint, subscription, event, status_code, correlation_id, ...rest }: Omit<BulkBody, "dry_run">,
): Promise<Scope> {
	const { endpointId, subscriptionId } = await resolveRefs(env, { endpoint, subscription }, invalidRequest);
	const seen = await seenEndpoints(env, asker, { endpointId, subscriptionId });
	const filters: DeliveryFilters = named({
		...rest,
		subscriptionId,
		eventId: event,
		statusCode: status_code,
		correlationId: correlation_id,
	});
	return event === undefined ? { filters, seen } : ofEvent(env, event, { filters, seen });
}

/**
 * Only the endpoints that the event was routed to, and only deliveries created since. An event that
 * the log has forgotten is looked for everywhere: deliveries are kept for longer.
 */
async function ofEvent(env: Env, event: string, { filters, seen }: Scope): Promise<Scope> {
	if (logIdOf(event) === null) throw invalidRequest([{ path: "event", message: "not the id of an event" }]);
	const entry = await awaitEvent(env, event);
	if (entry === null) return { filters, seen };
	const routed = [...new Set(entry.decisions.map((decision) => decision.endpointId))];
	const from = entry.event.receivedAt - CLOCK_SLACK_MS;
	return {
		filters: { ...filters, since: Math.max(filters.since ?? 0, from, 0) },
		seen: { ids: await onlySeen(env, routed, seen) },
	};
}
