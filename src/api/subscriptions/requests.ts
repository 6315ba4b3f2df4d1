/**
 * Subscriptions that request access to a source: if the key's scope does not include the source, a
 * new subscription waits until the source's owner grants it.
 */
import type { Env } from "../../env.ts";
import { SLUICE_SOURCE_ID } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";
import type { Subscription, SubscriptionStatus } from "../../store/records.ts";
import { type Condition, matchesOneOf } from "../../store/rows.ts";
import { type Asker, mayReadOperational, ownNames, ownRows } from "../access/own.ts";
import { type Principal, coversSource } from "../access/principal.ts";
import { readIdsOfSources } from "../fields/source-refs.ts";

/**
 * The status of a subscription when its source is set (null: every source). `wanted` is the status
 * if no grant is needed; a subscription that waits for a grant becomes active after it.
 */
export function statusForSource(
	principal: Principal,
	sourceName: string | null,
	wanted: SubscriptionStatus,
): SubscriptionStatus {
	return coversSource(principal, sourceName) ? wanted : "requested";
}

export function isUngranted(status: SubscriptionStatus): boolean {
	return status === "requested" || status === "denied";
}

/**
 * The status after a change. `source`: the source in the change, null if it sets none. A source
 * outside the key's scope has to be requested, whatever the former status, and can be requested
 * again. Whoever chooses another source that the key covers grants it; to name the same source
 * grants nothing, so that sending back what was read undoes no denial.
 */
export function statusAfterChange(
	principal: Principal,
	former: Pick<Subscription, "sourceId" | "status">,
	source: { id: string | null; name: string | null } | null,
): SubscriptionStatus {
	const isWaiting = isUngranted(former.status);
	if (source === null) return former.status;
	const isCovered = coversSource(principal, source.name);
	if (source.id === former.sourceId && (isCovered || !isWaiting)) return former.status;
	if (!isCovered) return "requested";
	return isWaiting ? "active" : former.status;
}

/**
 * The status after a subscription is replaced as a whole. `wanted`: the given status, which cannot
 * bypass a missing grant; undefined: it stays. If the source does not change, a request or a denial
 * stays, unless somebody who may grant it sets the status to active. Only a configuration document
 * names `denied`, which takes a grant back, or `requested`, which applies to another source only:
 * the decision about a request stays, even if the document is older.
 */
export function statusAfterReplacement(
	principal: Principal,
	former: Pick<Subscription, "sourceId" | "status">,
	source: { id: string | null; name: string | null },
	wanted: SubscriptionStatus | undefined,
): SubscriptionStatus {
	const isCovered = coversSource(principal, source.name);
	if (source.id !== former.sourceId) {
		if (!isCovered) return "requested";
		return wanted ?? (isUngranted(former.status) ? "active" : former.status);
	}
	if (wanted === "requested") return former.status;
	if (wanted === "denied") return wanted;
	if (!isUngranted(former.status)) return wanted ?? former.status;
	return isCovered && wanted === "active" ? "active" : former.status;
}

/** The 409 for resuming a subscription that has not been granted. */
export function notGranted(): Problem {
	const detail = "The owner of its source or an admin must grant it first: POST …/grant.";
	return new Problem(409, "not_granted", detail);
}

/**
 * The condition of the list: a publisher sees the subscriptions to its sources, a subscriber those
 * with its names.
 */
export async function ownSubscriptions(env: Env, asker: Asker): Promise<Condition[]> {
	if (asker.principal.role !== "publisher") return ownRows(asker, "subscriptions");
	const names = ownNames(asker, "sources");
	if (names !== null) return [matchesOneOf("source_id", await readIdsOfSources(env, names))];
	return mayReadOperational(asker) ? [] : [{ sql: "source_id IS NOT ?", bound: [SLUICE_SOURCE_ID] }];
}
