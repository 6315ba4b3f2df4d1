/**
 * Whether a key may access the resource that a path names, by its current name, whatever reference
 * was used. A resource that does not exist is 404, and so is one that was lost with the database,
 * because its owner is no longer known.
 */
import { bulkJob, dispatcher } from "../../objects/clients.ts";
import type { DeliveryRecord } from "../../delivery/records.ts";
import type { Env } from "../../env.ts";
import { endpointIdOf, logIdOf, sourceIdOfLog } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";
import { findEndpoint, readEndpointRefs } from "../../store/resources/endpoints.ts";
import type { Subscription } from "../../store/records.ts";
import { findSubscription } from "../../store/resources/subscriptions.ts";
import { findSourceRef, readNamesOfSources } from "../fields/source-refs.ts";
import { type Asker, forbidden } from "./own.ts";
import { type Principal, covers, coversSource } from "./principal.ts";

/** Throws 404, or 403 `forbidden` if the key may not access what `ref` names. */
export type Ownership = (env: Env, principal: Principal, ref: string) => Promise<void>;

async function ofSource(env: Env, principal: Principal, ref: string): Promise<void> {
	const source = await findSourceRef(env, ref);
	if (source === null) throw missing("source");
	if (!coversSource(principal, source.name)) throw forbidden(principal, "sources", source.name);
}

async function ofEndpoint(env: Env, principal: Principal, ref: string): Promise<void> {
	const endpoint = await findEndpoint(env, ref);
	if (endpoint === null) throw missing("endpoint");
	const { endpoints } = principal.scope;
	if (!covers(endpoints, endpoint.name)) throw forbidden(principal, "endpoints", endpoint.name);
}

/**
 * A publisher may access the subscriptions to its sources, a subscriber those with its
 * names.
 */
async function ofSubscription(env: Env, principal: Principal, ref: string): Promise<void> {
	const subscription = await findSubscription(env, ref);
	if (subscription === null) throw missing("subscription");
	await requireOwnSubscription(env, { principal, grade: "own" }, subscription);
}

/** For a route that has read it again: it may have another name or source than the guard has seen. */
export async function requireOwnSubscription(
	env: Env,
	{ principal, grade }: Asker,
	subscription: Pick<Subscription, "name" | "sourceId">,
): Promise<void> {
	if (grade === "all") return;
	if (principal.role === "publisher") return ofItsSource(env, principal, subscription);
	if (covers(principal.scope.subscriptions, subscription.name)) return;
	throw forbidden(principal, "subscriptions", subscription.name);
}

async function ofItsSource(
	env: Env,
	principal: Principal,
	{ sourceId }: Pick<Subscription, "sourceId">,
): Promise<void> {
	const name = sourceId === null ? null : await nameOfSource(env, sourceId);
	if (!coversSource(principal, name)) throw forbidden(principal, "sources", name ?? "every source");
}

/**
 * Uses the log that the id names, so only an admin may access events of a deleted
 * source.
 */
async function ofEvent(env: Env, principal: Principal, id: string): Promise<void> {
	const logId = logIdOf(id);
	const name = logId === null ? null : await nameOfSource(env, sourceIdOfLog(logId));
	if (name === null) throw missing("event");
	if (!coversSource(principal, name)) throw forbidden(principal, "sources", name);
}

/** For a route whose body names an event: throws what the guard throws for one in the path. */
export async function requireOwnEvent(env: Env, { principal, grade }: Asker, id: string): Promise<void> {
	if (grade === "own") await ofEvent(env, principal, id);
}

async function nameOfSource(env: Env, id: string): Promise<string | null> {
	return (await readNamesOfSources(env, [id])).get(id) ?? null;
}

async function ofDelivery(env: Env, principal: Principal, id: string): Promise<void> {
	const endpointId = endpointIdOf(id);
	if (endpointId === null) throw missing("delivery");
	const { endpoints, subscriptions } = principal.scope;
	const ref = (await readEndpointRefs(env, [endpointId])).get(endpointId);
	if (ref !== undefined && covers(endpoints, nameOf(ref))) return;
	const delivery = await dispatcher(env, endpointId).get(id);
	if (delivery === null) throw missing("delivery");
	const subscription = await nameOfSubscription(env, delivery);
	if (covers(subscriptions, subscription)) return;
	// A deleted endpoint still belongs to its former owner.
	if (ref === undefined && covers(endpoints, nameOf(delivery.endpointRef))) return;
	throw forbidden(principal, "subscriptions", subscription);
}

/** Belongs to the key that started it: its scope was checked then. */
async function ofBulk(env: Env, principal: Principal, id: string): Promise<void> {
	const job = await bulkJob(env, id).read();
	if (job === null)
		throw new Problem(
			404,
			"bulk_not_found",
			"There is no bulk job with this id, or it has been deleted after its retention time.",
		);
	if (job.startedBy === principal.id) return;
	throw new Problem(403, "forbidden", "This bulk job was started with another key.");
}

/** Its current name, or its name when the event was routed. */
async function nameOfSubscription(env: Env, delivery: DeliveryRecord): Promise<string> {
	return (await findSubscription(env, delivery.subscriptionId))?.name ?? delivery.subscriptionName;
}

function nameOf(endpointRef: string): string {
	return endpointRef.split("@", 1)[0] ?? endpointRef;
}

function missing(resource: "source" | "endpoint" | "subscription" | "event" | "delivery"): Problem {
	return new Problem(
		404,
		`${resource}_not_found`,
		`There is no ${resource} with this id, or it has been deleted after its retention time.`,
	);
}

/** By the path prefix of the resource. */
export const OWNERSHIP: Readonly<Record<string, Ownership>> = {
	"/v1/sources/:ref": ofSource,
	"/v1/endpoints/:ref": ofEndpoint,
	"/v1/subscriptions/:ref": ofSubscription,
	"/v1/events/:id": ofEvent,
	"/v1/deliveries/:id": ofDelivery,
	"/v1/bulk/:id": ofBulk,
};
