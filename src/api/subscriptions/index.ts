/** `/v1/subscriptions`: which events go to which endpoint, and what happens to the outputs. */
import { Hono } from "hono";
import {
	deleteSubscription,
	findSubscription,
	listSubscriptions,
} from "../../store/resources/subscriptions.ts";
import { recordChange } from "../access/audit.ts";
import { requireOwnName } from "../access/own.ts";
import { checkFields, readJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { readPage } from "../http/pages.ts";
import { deletableAs, overtaken, setEtag } from "../http/preconditions.ts";
import { putRecord } from "../http/put.ts";
import { namesSetAside } from "../fields/status.ts";
import { replaceSubscription } from "./draft.ts";
import { createSubscriptionSchema, mergeResult, patchSubscriptionSchema } from "./fields.ts";
import { hasStatus, subscriptionListQuery, subscriptionsMatching } from "./list.ts";
import { getSubscription, subscriptionNotFound } from "./lookup.ts";
import { previewSubscription } from "./preview.ts";
import { lookupIn, resolveRefs } from "./refs.ts";
import { isLost, named } from "../http/writes.ts";
import { isUngranted, notGranted, ownSubscriptions, statusAfterChange } from "./requests.ts";
import {
	allToWire,
	changeSubscription,
	createSubscription,
	nameTaken,
	refreshTargets,
	toWire,
	writtenToWire,
} from "./write.ts";

export const subscriptions = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createSubscriptionSchema);
		const created = await createSubscription(c, input);
		if (created === null) throw nameTaken(input.name ?? "");
		return created;
	})
	.post("/preview", async (c) =>
		c.body(await previewSubscription(c.env, c.req.raw), 200, { "content-type": "application/json" }),
	)
	.get("/", async (c) => {
		const own = await ownSubscriptions(c.env, c.var);
		const { items, nextCursor } = await readPage(
			c,
			"subscriptions",
			(page, query) =>
				listSubscriptions(c.env, { ...page, where: [...own, ...subscriptionsMatching(query)] }),
			subscriptionListQuery,
			hasStatus,
		);
		return c.json({ data: await allToWire(c.env, items), next_cursor: nextCursor });
	})
	.get("/:ref", async (c) => {
		const subscription = await getSubscription(c.env, c.req.param("ref"));
		setEtag(c, subscription);
		return c.json(await toWire(c.env, subscription));
	})
	.put("/:ref", async (c) => {
		const ref = c.req.param("ref");
		return putRecord(c, ref, {
			find: findSubscription,
			missing: subscriptionNotFound,
			identity: (ref) => (ref.startsWith("sub_") ? null : { name: ref }),
			identityOf: ({ name }) => ({ name }),
			create: (body) => createSubscription(c, checkFields(body, createSubscriptionSchema)),
			replace: async ({ id }, body) => {
				const input = checkFields(body, createSubscriptionSchema);
				requireOwnName(c.var, "subscriptions", input.name ?? "");
				const lookup = lookupIn(c.env);
				const { principal } = c.var;
				const subscription = await changeSubscription(c, id, "update", async (former) => {
					const { changes, endpointName } = await replaceSubscription(former, input, { lookup, principal });
					requireOwnName(c.var, "endpoints", endpointName);
					return changes;
				});
				return c.json(await writtenToWire(c.env, subscription));
			},
		});
	})
	.patch("/:ref", async (c) => {
		const input = await readJson(c.req.raw, patchSubscriptionSchema);
		const { name, types, filters, transform, result } = input;
		if (name !== undefined) requireOwnName(c.var, "subscriptions", name);
		const subscription = await changeSubscription(c, c.req.param("ref"), "update", async (former) => {
			const { target, endpointName, sourceId, sourceName } = await resolveRefs(lookupIn(c.env), input);
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
		return c.json(await writtenToWire(c.env, subscription));
	})
	.delete("/:ref", async (c) => {
		const ref = c.req.param("ref");
		const subscription = await findSubscription(c.env, ref);
		if (subscription === null && !(await isLost(c.env, "sub", ref))) throw subscriptionNotFound();
		const id = subscription?.id ?? ref;
		const before = subscription && (await toWire(c.env, subscription));
		const asRead = deletableAs(c.req.raw.headers, subscription);
		const { isChanged } = await deleteSubscription(c.env, id, asRead);
		if (isChanged) throw overtaken();
		await recordChange(c, { action: "delete", resource: "subscription", before, after: null, id });
		// If the subscription was lost with the database, it is unknown which dispatchers have its
		// deliveries; they check by themselves.
		if (subscription !== null) await refreshTargets(c.env, [subscription]);
		return c.body(null, 204);
	})
	.post("/:ref/pause", async (c) => {
		const paused = await changeSubscription(c, c.req.param("ref"), "pause", ({ status }) =>
			status === "active" ? { status: "paused" } : null,
		);
		return c.json(await toWire(c.env, paused));
	})
	.post("/:ref/resume", async (c) => {
		// An expression that was set aside is tried again.
		const resumed = { status: "active", quarantine: null } as const;
		const subscription = await changeSubscription(c, c.req.param("ref"), "resume", ({ status }) => {
			if (isUngranted(status)) throw notGranted();
			return resumed;
		});
		return c.json(await toWire(c.env, subscription));
	})
	.post("/:ref/grant", async (c) => {
		const granted = await changeSubscription(c, c.req.param("ref"), "grant", ({ status }) =>
			isUngranted(status) ? { status: "active" } : null,
		);
		return c.json(await toWire(c.env, granted));
	})
	.post("/:ref/deny", async (c) => {
		const denied = await changeSubscription(c, c.req.param("ref"), "deny", ({ status }) =>
			status === "denied" ? null : { status: "denied" },
		);
		return c.json(await toWire(c.env, denied));
	});
