/**
 * Makes a subscription from a request: a new one, or a replacement of an existing one. POST, PUT,
 * previews and the configuration document use the same two functions. Nothing is stored.
 */
import { randomBytes } from "node:crypto";
import { newId } from "../../events/ids.ts";
import type { Subscription, SubscriptionStatus } from "../../store/records.ts";
import type { SubscriptionChanges } from "../../store/resources/subscriptions.ts";
import type { Principal } from "../access/principal.ts";
import { differing, isSame } from "../fields/compare.ts";
import { withoutUnreadable } from "../http/writes.ts";
import { mergeResult, type SubscriptionInput } from "./fields.ts";
import { type Lookup, type ResolvedRefs, resolveRefs } from "./refs.ts";
import { statusAfterReplacement } from "./requests.ts";

export type DraftInput = SubscriptionInput & { status?: SubscriptionStatus | undefined };

export interface Draft extends Pick<ResolvedRefs, "endpointName" | "sourceName"> {
	subscription: Subscription;
}

type Declared = Pick<
	Subscription,
	"name" | "sourceId" | "types" | "filters" | "target" | "transform" | "result"
>;

/** A new subscription, under a new id. Throws what `resolveRefs` throws. `now` in ms. */
export async function draftOf(lookup: Lookup, input: DraftInput, now: number): Promise<Draft> {
	const { declared, endpointName, sourceName } = await declare(lookup, input);
	const subscription: Subscription = {
		id: newId("sub"),
		...declared,
		status: input.status ?? "active",
		revision: 1,
		quarantine: null,
		createdAt: now,
		updatedAt: now,
	};
	return { subscription, endpointName, sourceName };
}

export interface Replacement extends Pick<ResolvedRefs, "endpointName"> {
	/** null: nothing changes. */
	changes: SubscriptionChanges | null;
}

/**
 * What changes if `input` replaces all of a subscription except its id and, unless it is given, its
 * status. `principal`: who asks, which decides whether a source has to be requested. Throws what
 * `resolveRefs` throws.
 */
export async function replaceSubscription(
	former: Subscription,
	input: DraftInput,
	{ lookup, principal }: { lookup: Lookup; principal: Principal },
): Promise<Replacement> {
	const { declared, endpointName, sourceName } = await declare(lookup, input);
	const source = { id: declared.sourceId, name: sourceName };
	const status = statusAfterReplacement(principal, former, source, input.status);
	const changes: SubscriptionChanges = differing<SubscriptionChanges>(withoutUnreadable(former), {
		...declared,
		status,
	});
	if (former.quarantine !== null && isRewritten(former, declared, former.quarantine.field)) {
		changes.quarantine = null;
	}
	return { changes: Object.keys(changes).length === 0 ? null : changes, endpointName };
}

/** Whether the expression at `field`, which is set aside, has changed. */
function isRewritten(former: Subscription, declared: Declared, field: string): boolean {
	if (field === "result.transform") return former.result?.transform !== declared.result?.transform;
	if (field === "transform") return former.transform !== declared.transform;
	return !isSame(former.filters, declared.filters);
}

async function declare(
	lookup: Lookup,
	input: DraftInput,
): Promise<Pick<ResolvedRefs, "endpointName" | "sourceName"> & { declared: Declared }> {
	const { target, targetRef, sourceId, sourceName, endpointName } = await resolveRefs(lookup, input);
	if (target === undefined) throw new Error("the schema lets no subscription pass without a target");
	const declared: Declared = {
		name: input.name ?? nameFor(targetRef),
		sourceId: sourceId ?? null,
		types: input.types ?? [],
		filters: input.filters ?? [],
		target,
		transform: input.transform ?? null,
		result: mergeResult(null, input.result ?? null),
	};
	return { declared, endpointName, sourceName };
}

/**
 * `to-ocr-3-x7f2`; the random part distinguishes subscriptions to the same
 * endpoint.
 */
function nameFor(endpointRef: string): string {
	const readable = endpointRef.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 50);
	return `to-${readable}-${randomBytes(3).toString("hex")}`;
}
