/** `/v1/subscriptions`: which events go to which endpoint, and what becomes of the outputs. */
import { randomBytes } from "node:crypto";
import { type Context, Hono } from "hono";
import type { Env } from "../../env.ts";
import { newId } from "../../events/ids.ts";
import { type FieldError, Problem } from "../../http/problem.ts";
import { findEndpoint, parseEndpointRef, readEndpointRefs } from "../../store/endpoints.ts";
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
import { invalidRequest, readJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { endpointIdsOf, refreshDispatchers } from "../deliveries/dispatchers.ts";
import { readPage } from "../http/pages.ts";
import { findSourceRef, readNamesOfSources } from "../fields/source-refs.ts";
import { namesSetAside } from "../fields/status.ts";
import {
	type SubscriptionInput,
	createSubscriptionSchema,
	mergeResult,
	patchSubscriptionSchema,
	subscriptionToWire,
	targetOf,
} from "./fields.ts";
import { type Changeable, changeRecord, changedMeanwhile, isLost, named } from "../http/writes.ts";
import { isUngranted, notGranted, ownSubscriptions, statusAfterChange, statusForSource } from "./requests.ts";

export const subscriptions = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createSubscriptionSchema);
		const { target, targetRef, endpointName, sourceId, sourceName } = await resolveRefs(c.env, input);
		if (target === undefined) throw new Error("the schema lets no subscription pass without a target");
		const name = input.name ?? nameFor(targetRef);
		requireOwnName(c.var, "subscriptions", name);
		requireOwnName(c.var, "endpoints", endpointName);
		const now = Date.now();
		const subscription: Subscription = {
			id: newId("sub"),
			name,
			sourceId: sourceId ?? null,
			types: input.types ?? [],
			filters: input.filters ?? [],
			target,
			transform: input.transform ?? null,
			result: mergeResult(null, input.result ?? null),
			status: statusForSource(c.var.principal, sourceName, input.status ?? "active"),
			revision: 1,
			quarantine: null,
			createdAt: now,
			updatedAt: now,
		};
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

async function getSubscription(env: Env, ref: string): Promise<Subscription> {
	const subscription = await findSubscription(env, ref);
	if (subscription === null) throw subscriptionNotFound();
	return subscription;
}

function subscriptionNotFound(): Problem {
	return new Problem(404, "subscription_not_found", "There is no subscription with this id or name.");
}

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

/** `to-ocr-3-x7f2`; the random part keeps apart what goes to the same endpoint. */
function nameFor(endpointRef: string): string {
	const readable = endpointRef.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 50);
	return `to-${readable}-${randomBytes(3).toString("hex")}`;
}

interface ResolvedRefs {
	/** What is not named is undefined. null: events of every source. */
	sourceId: string | null | undefined;
	/** null: every source, or none is named. */
	sourceName: string | null;
	/** `name@latest` stays a name: it is resolved for each event. */
	target: Subscription["target"] | undefined;
	targetRef: string;
	/** Without its version; "" when no target is named. */
	endpointName: string;
}

/** What the references in the input stand for. Throws 422 with every one that stands for nothing. */
async function resolveRefs(env: Env, input: SubscriptionInput): Promise<ResolvedRefs> {
	const asked = targetOf(input);
	const [endpoint, source] = await Promise.all([
		asked && findEndpoint(env, asked.ref),
		typeof input.source === "string" ? findSourceRef(env, input.source) : null,
	]);
	const errors: FieldError[] = [];
	if (asked !== null && endpoint === null) {
		errors.push({ path: asked.path, message: `there is no endpoint ${asked.ref}` });
	}
	if (typeof input.source === "string" && source === null) {
		errors.push({ path: "source", message: `there is no source ${input.source}` });
	}
	if (errors.length > 0) throw invalidRequest(errors);
	const sourceId = input.source === undefined ? undefined : (source?.id ?? null);
	const named = { sourceId, sourceName: source?.name ?? null, endpointName: endpoint?.name ?? "" };
	if (asked === null || endpoint === null) return { ...named, target: undefined, targetRef: "" };
	return "latestOf" in parseEndpointRef(asked.ref)
		? { ...named, target: { latestOf: endpoint.name }, targetRef: `${endpoint.name}@latest` }
		: { ...named, target: { endpointId: endpoint.id }, targetRef: `${endpoint.name}@${endpoint.version}` };
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
