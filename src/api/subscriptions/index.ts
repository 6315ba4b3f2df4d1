/** `/v1/subscriptions`: which events go to which endpoint, and what becomes of the outputs. */
import { Hono } from "hono";
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
import { readJson } from "../http/body.ts";
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

export const subscriptions = new Hono<{ Bindings: Env }>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createSubscriptionSchema);
		const subscription = await draftOf(c.env, input, Date.now());
		const inserted = await insertSubscription(c.env, subscription);
		if (inserted === "name_taken") throw nameTaken(subscription.name);
		if (inserted === "changed") {
			// What it names has just been deleted; says which.
			await resolveRefs(c.env, input);
			throw changedMeanwhile();
		}
		await refreshDispatchers(c.env, await endpointIdsOf(c.env, subscription.target));
		return c.json(await toWire(c.env, subscription), 201);
	})
	.post("/preview", async (c) =>
		c.body(await previewSubscription(c.env, c.req.raw), 200, { "content-type": "application/json" }),
	)
	.get("/", async (c) => {
		const page = await readPage(c, "subscriptions", (query) => listSubscriptions(c.env, query));
		return c.json({ data: await allToWire(c.env, page.items), next_cursor: page.nextCursor });
	})
	.get("/:ref", async (c) => c.json(await toWire(c.env, await getSubscription(c.env, c.req.param("ref")))))
	.patch("/:ref", async (c) => {
		const input = await readJson(c.req.raw, patchSubscriptionSchema);
		const { name, types, filters, transform, result } = input;
		const subscription = await changeSubscription(c.env, c.req.param("ref"), async (former) => {
			const { target, sourceId } = await resolveRefs(c.env, input);
			return {
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
		await deleteSubscription(c.env, subscription?.id ?? ref);
		// When the subscription was lost with the database, nobody knows which dispatchers hold its deliveries; they
		// check by themselves.
		if (subscription !== null) await refreshTargets(c.env, [subscription]);
		return c.body(null, 204);
	})
	.post("/:ref/pause", async (c) => {
		const paused = await changeSubscription(c.env, c.req.param("ref"), ({ status }) =>
			status === "active" ? { status: "paused" } : null,
		);
		return c.json(await toWire(c.env, paused));
	})
	.post("/:ref/resume", async (c) => {
		// An expression that was set aside is tried again.
		const resumed = { status: "active", quarantine: null } as const;
		return c.json(await toWire(c.env, await changeSubscription(c.env, c.req.param("ref"), () => resumed)));
	});

function nameTaken(name: string): Problem {
	return new Problem(409, "name_taken", `There is another subscription named ${name}.`);
}

const changeable: Changeable<Subscription, SubscriptionChanges> = {
	get: getSubscription,
	update: updateSubscription,
	taken: ({ name }) => nameTaken(name ?? ""),
};

/** Makes a change and tells the dispatchers of both targets; throws what `changeRecord` throws. */
async function changeSubscription(
	env: Env,
	ref: string,
	compute: (former: Subscription) => SubscriptionChanges | null | Promise<SubscriptionChanges>,
): Promise<Subscription> {
	const { former, record, changes } = await changeRecord(env, changeable, ref, compute);
	if (changes !== null) await refreshTargets(env, [former, record]);
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
