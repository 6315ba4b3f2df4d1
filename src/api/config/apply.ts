/** Applies a plan: one transaction, then everything affected is notified. */
import type { Context } from "hono";
import type { Configuration, Writes } from "../../store/resources/configuration.ts";
import { writeConfiguration } from "../../store/resources/configuration.ts";
import type { Subscription } from "../../store/records.ts";
import { type Change, recordChanges } from "../access/audit.ts";
import { refreshDispatchers, tellDeleted } from "../deliveries/dispatchers.ts";
import { endpointToAudit } from "../endpoints/fields.ts";
import { isRepair } from "../endpoints/write.ts";
import type { ApiEnv } from "../http/context.ts";
import { waitUntilRouted } from "../http/routed.ts";
import { changedMeanwhile } from "../http/writes.ts";
import { sourceToWire } from "../sources/fields.ts";
import { announceSource, syncSource } from "../sources/sync.ts";
import { subscriptionToWire } from "../subscriptions/fields.ts";
import { namesIn } from "./document.ts";
import { type Plan, type PlannedList, changesNothing, outcomeOf } from "./planned.ts";

/** Objects and keys that are notified at once. */
const TOLD_AT_ONCE = 20;

/**
 * Writes nothing if the plan changes nothing. Throws 409 `changed_meanwhile`, with nothing written,
 * if anything has changed since `stored` was read. `now` in ms.
 */
export async function applyPlan(
	c: Context<ApiEnv>,
	plan: Plan,
	stored: Configuration,
	now: number,
): Promise<void> {
	if (changesNothing(plan)) return;
	const { sources, endpoints, subscriptions } = plan;
	const writes = {
		sources: writesOf(sources),
		endpoints: writesOf(endpoints),
		subscriptions: writesOf(subscriptions),
	};
	if (!(await writeConfiguration(c.env, stored.version, writes, now))) throw changedMeanwhile();
	await recordChanges(c, changesIn(c, plan, stored));
	await tellSources(c, sources, now);
	await tellDispatchers(c, plan, stored);
	await waitUntilRouted(c.env);
}

function writesOf<T extends { id: string }, New extends T, C>({
	created,
	changed,
	deleted,
}: PlannedList<T, New, C>): Writes<New, C> {
	return {
		created,
		changed: changed.map(({ former, changes }) => ({ id: former.id, changes })),
		deleted: deleted.map(({ id }) => id),
	};
}

function changesIn(c: Context<ApiEnv>, plan: Plan, stored: Configuration): Change[] {
	const { origin } = new URL(c.req.url);
	const names = namesIn({
		sources: [...stored.sources, ...outcomeOf(plan.sources)],
		endpoints: [...stored.endpoints, ...outcomeOf(plan.endpoints)],
	});
	return [
		...changesOf("source", plan.sources, (source) => sourceToWire(source, origin)),
		...changesOf("endpoint", plan.endpoints, endpointToAudit),
		...changesOf("subscription", plan.subscriptions, (one) => subscriptionToWire(one, names)),
	];
}

function changesOf<T, New extends T, C>(
	resource: Change["resource"],
	{ created, changed, deleted }: PlannedList<T, New, C>,
	toWire: (record: T) => Record<string, unknown>,
): Change[] {
	return [
		...deleted.map((former) => ({
			action: "delete" as const,
			resource,
			before: toWire(former),
			after: null,
		})),
		...changed.map(({ former, record }) => ({
			action: "update" as const,
			resource,
			before: toWire(former),
			after: toWire(record),
		})),
		...created.map((record) => ({
			action: "create" as const,
			resource,
			before: null,
			after: toWire(record),
		})),
	];
}

/**
 * Copies contain the revision and the time of their rows, which the database has set. `now` in ms.
 */
async function tellSources(
	c: Context<ApiEnv>,
	{ created, changed, deleted }: Plan["sources"],
	now: number,
): Promise<void> {
	// Two writes to KV for each would be too many for one request.
	await each(created, (source) => announceSource(c, source));
	await each(changed, ({ former, record }) =>
		syncSource(c, former, { ...record, revision: former.revision + 1, updatedAt: now }),
	);
	await each(deleted, (source) => syncSource(c, source, null));
}

/** New endpoints have no dispatcher yet that needs to be notified. */
async function tellDispatchers(
	{ env }: Context<ApiEnv>,
	{ endpoints, subscriptions }: Plan,
	stored: Configuration,
): Promise<void> {
	const repaired = endpoints.changed
		.filter(({ changes }) => isRepair(changes))
		.map(({ former }) => former.id);
	const touched: Subscription[] = [
		...subscriptions.created,
		...subscriptions.deleted,
		...subscriptions.changed.flatMap(({ former, record }) => [former, record]),
	];
	const targeted = stored.endpoints.filter(({ id, name }) =>
		touched.some(({ target }) =>
			"endpointId" in target ? target.endpointId === id : target.latestOf === name,
		),
	);
	const others = new Set([...targeted, ...endpoints.changed.map(({ former }) => former)].map(({ id }) => id));
	for (const { id } of endpoints.deleted) others.delete(id);
	for (const id of repaired) others.delete(id);
	await each(repaired, (id) => refreshDispatchers(env, [id], { repaired: true }));
	await each([...others], (id) => refreshDispatchers(env, [id]));
	await each(endpoints.deleted, ({ id }) => tellDeleted(env, id));
}

async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
	for (let start = 0; start < items.length; start += TOLD_AT_ONCE) {
		await Promise.all(items.slice(start, start + TOLD_AT_ONCE).map(act));
	}
}
