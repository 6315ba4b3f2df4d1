/** Writes subscriptions for the routes, then updates the audit log and notifies the dispatchers. */
import type { Context } from "hono";
import type { Env } from "../../env.ts";
import { Problem } from "../../http/problem.ts";
import { readEndpointRefs } from "../../store/resources/endpoints.ts";
import type { Subscription } from "../../store/records.ts";
import {
	type SubscriptionChanges,
	insertSubscription,
	updateSubscription,
} from "../../store/resources/subscriptions.ts";
import { type Action, recordChange } from "../access/audit.ts";
import { requireOwnName } from "../access/own.ts";
import { requireOwnSubscription } from "../access/ownership.ts";
import { endpointIdsOf, refreshDispatchers } from "../deliveries/dispatchers.ts";
import { readNamesOfSources } from "../fields/source-refs.ts";
import type { ApiEnv } from "../http/context.ts";
import { requirePreconditions, setEtag } from "../http/preconditions.ts";
import { type Changeable, changeRecord, changedMeanwhile } from "../http/writes.ts";
import { type DraftInput, draftOf } from "./draft.ts";
import { subscriptionToWire } from "./fields.ts";
import { getSubscription } from "./lookup.ts";
import { lookupIn, resolveRefs } from "./refs.ts";
import { statusForSource } from "./requests.ts";
import { warningsOf } from "./warnings.ts";

/**
 * The 201; null if the name is taken. Throws 422, 403 for a name outside the asker's scope, and
 * 409.
 */
export async function createSubscription(c: Context<ApiEnv>, input: DraftInput): Promise<Response | null> {
	const lookup = lookupIn(c.env);
	const { subscription: draft, endpointName, sourceName } = await draftOf(lookup, input, Date.now());
	requireOwnName(c.var, "subscriptions", draft.name);
	requireOwnName(c.var, "endpoints", endpointName);
	const status = statusForSource(c.var.principal, sourceName, input.status ?? "active");
	const subscription: Subscription = { ...draft, status };
	const inserted = await insertSubscription(c.env, subscription);
	if (inserted === "name_taken") return null;
	if (inserted === "changed") {
		// A resource that it names has just been deleted; the error names it.
		await resolveRefs(lookup, input);
		throw changedMeanwhile();
	}
	const after = await toWire(c.env, subscription);
	await recordChange(c, { action: "create", resource: "subscription", before: null, after });
	await refreshDispatchers(c.env, await endpointIdsOf(c.env, subscription.target));
	setEtag(c, subscription);
	return c.json({ ...after, warnings: warningsOf(subscription, endpointName) }, 201);
}

export function nameTaken(name: string): Problem {
	return new Problem(409, "name_taken", `There is already a subscription named ${name}.`);
}

const changeable: Changeable<Subscription, SubscriptionChanges> = {
	get: getSubscription,
	update: updateSubscription,
	taken: ({ name }) => nameTaken(name ?? ""),
};

/**
 * Changes a subscription and notifies the dispatchers of both targets; the response gets its ETag.
 * Throws what `changeRecord` throws, 412, and 403 if it is not the asker's.
 */
export async function changeSubscription(
	c: Context<ApiEnv>,
	ref: string,
	action: Action,
	compute: (former: Subscription) => SubscriptionChanges | null | Promise<SubscriptionChanges | null>,
): Promise<Subscription> {
	const { former, record, changes } = await changeRecord(c.env, changeable, ref, async (present) => {
		await requireOwnSubscription(c.env, c.var, present);
		requirePreconditions(c.req.raw.headers, present);
		return compute(present);
	});
	setEtag(c, record);
	if (changes === null) return record;
	const [before = null, after = null] = await allToWire(c.env, [former, record]);
	await recordChange(c, { action, resource: "subscription", before, after });
	await refreshTargets(c.env, [former, record]);
	return record;
}

export async function refreshTargets(env: Env, changed: readonly Subscription[]): Promise<void> {
	const ids = await Promise.all(changed.map(({ target }) => endpointIdsOf(env, target)));
	await refreshDispatchers(env, ids.flat());
}

export async function toWire(env: Env, subscription: Subscription): Promise<Record<string, unknown>> {
	const [wire = {}] = await allToWire(env, [subscription]);
	return wire;
}

/** With its warnings. */
export async function writtenToWire(env: Env, subscription: Subscription): Promise<Record<string, unknown>> {
	const [wire, endpointName] = await Promise.all([
		toWire(env, subscription),
		targetName(env, subscription.target),
	]);
	return { ...wire, warnings: warningsOf(subscription, endpointName) };
}

/** Without its version; "" if it is deleted. */
async function targetName(env: Env, target: Subscription["target"]): Promise<string> {
	if ("latestOf" in target) return target.latestOf;
	const ref = (await readEndpointRefs(env, [target.endpointId])).get(target.endpointId) ?? "";
	return ref.slice(0, Math.max(0, ref.lastIndexOf("@")));
}

export async function allToWire(env: Env, list: readonly Subscription[]): Promise<Record<string, unknown>[]> {
	const sourceIds = list.flatMap(({ sourceId }) => sourceId ?? []);
	const endpointIds = list.flatMap(({ target }) => ("endpointId" in target ? target.endpointId : []));
	const [sources, endpoints] = await Promise.all([
		readNamesOfSources(env, sourceIds),
		readEndpointRefs(env, endpointIds),
	]);
	return list.map((subscription) => subscriptionToWire(subscription, { sources, endpoints }));
}
