/** `/v1/subscriptions`: which events go to which endpoint, and what becomes of the outputs. */
import { type Context, Hono } from "hono";
import type { Env } from "../../env.ts";
import { Problem } from "../../http/problem.ts";
import { readEndpointRefs } from "../../store/endpoints.ts";
import type { Subscription } from "../../store/records.ts";
import {
	type SubscriptionChanges,
	deleteSubscription,
	findSubscription,
	insertSubscription,
	listSubscriptions,
	updateSubscription,
} from "../../store/subscriptions.ts";
import { type Action, recordChange } from "../access/audit.ts";
import { requireOwnName } from "../access/own.ts";
import { readJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { endpointIdsOf, refreshDispatchers } from "../deliveries/dispatchers.ts";
import { readPage } from "../http/pages.ts";
import { readNamesOfSources } from "../fields/source-refs.ts";
import { namesSetAside } from "../fields/status.ts";
import { draftOf, resolveRefs } from "./draft.ts";
import {
	createSubscriptionSchema,
	mergeResult,
	patchSubscriptionSchema,
	subscriptionToWire,
} from "./fields.ts";
import { getSubscription, subscriptionNotFound } from "./lookup.ts";
import { previewSubscription } from "./preview.ts";
import { type Changeable, changeRecord, changedMeanwhile, isLost, named } from "../http/writes.ts";
import { isUngranted, notGranted, ownSubscriptions, statusAfterChange, statusForSource } from "./requests.ts";

export const subscriptions = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createSubscriptionSchema);
		const { subscription: draft, endpointName, sourceName } = await draftOf(c.env, input, Date.now());
		requireOwnName(c.var, "subscriptions", draft.name);
		requireOwnName(c.var, "endpoints", endpointName);
		const status = statusForSource(c.var.principal, sourceName, input.status ?? "active");
		const subscription: Subscription = { ...draft, status };
		const inserted = await insertSubscription(c.env, subscription);
		if (inserted === "name_taken") throw nameTaken(subscription.name);
		if (inserted === "changed") {
			// What it names has just been deleted; says which.
			await resolveRefs(c.env, input);
			throw changedMeanwhile();
		}
		const after = await toWire(c.env, subscription);
		await recordChange(c, { action: "create", resource: "subscription", before: null, after });
		await refreshDispatchers(c.env, await endpointIdsOf(c.env, subscription.target));
		return c.json(after, 201);
	})
	.post("/preview", async (c) =>
		c.body(await previewSubscription(c.env, c.req.raw), 200, { "content-type": "application/json" }),
	)
	.get("/", async (c) => {
		const own = await ownSubscriptions(c.env, c.var);
		const page = await readPage(c, "subscriptions", (query) =>
			listSubscriptions(c.env, { ...query, ...own }),
		);
		return c.json({ data: await allToWire(c.env, page.items), next_cursor: page.nextCursor });
	})
	.get("/:ref", async (c) => c.json(await toWire(c.env, await getSubscription(c.env, c.req.param("ref")))))
	.patch("/:ref", async (c) => {
		const input = await readJson(c.req.raw, patchSubscriptionSchema);
		const { name, types, filters, transform, result } = input;
		if (name !== undefined) requireOwnName(c.var, "subscriptions", name);
		const subscription = await changeSubscription(c, "update", async (former) => {
			const { target, endpointName, sourceId, sourceName } = await resolveRefs(c.env, input);
			if (target !== undefined) requireOwnName(c.var, "endpoints", endpointName);
			const source = sourceId === undefined ? null : { id: sourceId, name: sourceName };
			const status = statusAfterChange(c.var.principal, former, source);
			return {
				...(status !== former.status && { status }),
				...named({ name, types, filters, transform, target, sourceId }),
				...(namesSetAside(former.quarantine, input) && { quarantine: null }),
				...(result !== undefined && { result: mergeResult(former.result, result) }),
			};
		});
		return c.json(await toWire(c.env, subscription));
	})
	.delete("/:ref", async (c) => {
		const ref = c.req.param("ref");
		const subscription = await findSubscription(c.env, ref);
		if (subscription === null && !(await isLost(c.env, "sub", ref))) throw subscriptionNotFound();
		const id = subscription?.id ?? ref;
		const before = subscription && (await toWire(c.env, subscription));
		await deleteSubscription(c.env, id);
		await recordChange(c, { action: "delete", resource: "subscription", before, after: null, id });
		// When the subscription was lost with the database, nobody knows which dispatchers hold its deliveries; they
		// check by themselves.
		if (subscription !== null) await refreshTargets(c.env, [subscription]);
		return c.body(null, 204);
	})
	.post("/:ref/pause", async (c) => {
		const paused = await changeSubscription(c, "pause", ({ status }) =>
			status === "active" ? { status: "paused" } : null,
		);
		return c.json(await toWire(c.env, paused));
	})
	.post("/:ref/resume", async (c) => {
		// An expression that was set aside is tried again.
		const resumed = { status: "active", quarantine: null } as const;
		const subscription = await changeSubscription(c, "resume", ({ status }) => {
			if (isUngranted(status)) throw notGranted();
			return resumed;
		});
		return c.json(await toWire(c.env, subscription));
	})
	.post("/:ref/grant", async (c) => {
		const granted = await changeSubscription(c, "grant", ({ status }) =>
			isUngranted(status) ? { status: "active" } : null,
		);
		return c.json(await toWire(c.env, granted));
	})
	.post("/:ref/deny", async (c) => {
		const denied = await changeSubscription(c, "deny", ({ status }) =>
			status === "denied" ? null : { status: "denied" },
		);
		return c.json(await toWire(c.env, denied));
	});

function nameTaken(name: string): Problem {
	return new Problem(409, "name_taken", `There is another subscription named ${name}.`);
}

const changeable: Changeable<Subscription, SubscriptionChanges> = {
	get: getSubscription,
	update: updateSubscription,
	taken: ({ name }) => nameTaken(name ?? ""),
};

/**
 * Makes a change of the subscription that the path names and tells the dispatchers of both targets; throws what
 * `changeRecord` throws.
 */
async function changeSubscription(
	c: Context<ApiEnv, "/:ref">,
	action: Action,
	compute: (former: Subscription) => SubscriptionChanges | null | Promise<SubscriptionChanges>,
): Promise<Subscription> {
	const { former, record, changes } = await changeRecord(c.env, changeable, c.req.param("ref"), compute);
	if (changes === null) return record;
	const [before = null, after = null] = await allToWire(c.env, [former, record]);
	await recordChange(c, { action, resource: "subscription", before, after });
	await refreshTargets(c.env, [former, record]);
	return record;
}

async function refreshTargets(env: Env, changed: readonly Subscription[]): Promise<void> {
	const ids = await Promise.all(changed.map(({ target }) => endpointIdsOf(env, target)));
	await refreshDispatchers(env, ids.flat());
}

async function toWire(env: Env, subscription: Subscription): Promise<Record<string, unknown>> {
	const [wire = {}] = await allToWire(env, [subscription]);
	return wire;
}

async function allToWire(env: Env, list: readonly Subscription[]): Promise<Record<string, unknown>[]> {
	const sourceIds = list.flatMap(({ sourceId }) => sourceId ?? []);
	const endpointIds = list.flatMap(({ target }) => ("endpointId" in target ? target.endpointId : []));
	const [sources, endpoints] = await Promise.all([
		readNamesOfSources(env, sourceIds),
		readEndpointRefs(env, endpointIds),
	]);
	return list.map((subscription) => subscriptionToWire(subscription, { sources, endpoints }));
}
