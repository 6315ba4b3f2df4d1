/**
 * Subscriptions that ask for a source: whoever makes one with a key that is not for its source waits until the source's
 * owner grants it.
 */
import type { Env } from "../../env.ts";
import { Problem } from "../../http/problem.ts";
import type { Status, Subscription, SubscriptionStatus } from "../../store/records.ts";
import { type Condition, matchesOneOf } from "../../store/rows.ts";
import { type Asker, ownNames, ownRows } from "../access/own.ts";
import { type Principal, coversSource } from "../access/principal.ts";
import { readIdsOfSources } from "../fields/source-refs.ts";

/**
 * The status of a subscription that somebody points to a source (null: to every source). `wanted` is what it is
 * where nobody needs to be asked; what waits for a grant is active after it.
 */
export function statusForSource(
	principal: Principal,
	sourceName: string | null,
	wanted: Status,
): SubscriptionStatus {
	return coversSource(principal, sourceName) ? wanted : "requested";
}

export function isUngranted(status: SubscriptionStatus): boolean {
	return status === "requested" || status === "denied";
}

/**
 * The status after a change. `source`: the one that the change names, null when it names none. A source that the key is
 * not for has to be asked for, whatever the subscription was before, and can be asked for again.
 */
export function statusAfterChange(
	principal: Principal,
	former: Pick<Subscription, "sourceId" | "status">,
	source: { id: string | null; name: string | null } | null,
): SubscriptionStatus {
	const isWaiting = isUngranted(former.status);
	if (source === null || (source.id === former.sourceId && !isWaiting)) return former.status;
	if (!coversSource(principal, source.name)) return "requested";
	return isWaiting ? "active" : former.status;
}

/** The 409 for resuming what has not been granted. */
export function notGranted(): Problem {
	const detail = "The owner of its source, or an admin, has to grant it first: POST …/grant.";
	return new Problem(409, "not_granted", detail);
}

/** The condition of the list: a publisher sees the subscriptions to its sources, a subscriber those of its names. */
export async function ownSubscriptions(env: Env, asker: Asker): Promise<{ where?: Condition[] }> {
	if (asker.principal.role !== "publisher") return ownRows(asker, "subscriptions");
	const names = ownNames(asker, "sources");
	return names === null ? {} : { where: [matchesOneOf("source_id", await readIdsOfSources(env, names))] };
}
