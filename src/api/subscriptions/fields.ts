/**
 * A subscription on the wire: the fields that may be written, their defaults, and the
 * response.
 */
import * as z from "zod";
import { MAX_HOPS } from "../../events/lineage.ts";
import { filterSchema } from "../../events/expressions/filters.ts";
import { type ResultPolicy, SUBSCRIPTION_STATUSES, type Subscription } from "../../store/records.ts";
import { expressionField } from "../../events/expressions/expression-field.ts";
import { CHANGED_BY_ACTION, eventTypeField, nameField, statusField, typePattern } from "../fields/fields.ts";
import { statusOf } from "../fields/status.ts";
import { formatTime } from "../fields/times.ts";

const DEFAULT_RESULT: ResultPolicy = { type: null, transform: null, maxHops: 8, allowCycles: false };

const targets = z.array(z.strictObject({ endpoint: z.string().min(1) })).length(1, "exactly one target");

const result = z
	.strictObject({
		type: eventTypeField.nullable(),
		transform: expressionField.nullable(),
		max_hops: z.number().int().min(1).max(MAX_HOPS),
		allow_cycles: z.boolean(),
	})
	.partial();

const fields = z
	.strictObject({
		name: nameField("sub"),
		source: z.string().min(1).nullable(),
		types: z.array(typePattern).max(100),
		filters: z.array(filterSchema).max(50),
		targets,
		endpoint: z.string().min(1),
		transform: expressionField.nullable(),
		result: result.nullable(),
	})
	.partial();

export type SubscriptionInput = z.output<typeof fields>;

export function hasOneForm({ targets, endpoint }: SubscriptionInput): boolean {
	return targets === undefined || endpoint === undefined;
}

export const ONE_FORM = {
	path: ["endpoint"],
	message: "is a shorter form for one target: give either endpoint or targets",
};

export function hasTarget({ targets, endpoint }: SubscriptionInput): boolean {
	return targets !== undefined || endpoint !== undefined;
}

export const TARGET_REQUIRED = {
	path: ["targets"],
	message: 'is required: [{ "endpoint": "name@version" }]',
};

export const patchSubscriptionSchema = fields
	.extend({ status: CHANGED_BY_ACTION, enabled: CHANGED_BY_ACTION })
	.refine(hasOneForm, ONE_FORM);

/** The fields of a new subscription; its target is checked later. */
export const newFields = fields.extend({
	status: statusField.optional(),
	enabled: z.never('is now called status: "active" or "paused"').optional(),
});

export const createSubscriptionSchema = newFields
	.refine(hasOneForm, ONE_FORM)
	.refine(hasTarget, TARGET_REQUIRED);

/** An entry of the configuration document, which keeps a missing grant missing wherever it is applied. */
export const declaredSubscriptionSchema = newFields
	.extend({ status: z.enum(SUBSCRIPTION_STATUSES).optional() })
	.refine(hasOneForm, ONE_FORM)
	.refine(hasTarget, TARGET_REQUIRED);

/** The given endpoint and the path of its field; null if the input gives none. */
export function targetOf({ targets, endpoint }: SubscriptionInput): { ref: string; path: string } | null {
	if (endpoint !== undefined) return { ref: endpoint, path: "endpoint" };
	const [target] = targets ?? [];
	return target === undefined ? null : { ref: target.endpoint, path: "targets.0.endpoint" };
}

/** `former` with the given fields changed; null removes the result policy. */
export function mergeResult(
	former: ResultPolicy | null,
	input: z.output<typeof result> | null,
): ResultPolicy | null {
	if (input === null) return null;
	const { type, transform, maxHops, allowCycles } = former ?? DEFAULT_RESULT;
	return {
		type: input.type === undefined ? type : input.type,
		transform: input.transform === undefined ? transform : input.transform,
		maxHops: input.max_hops ?? maxHops,
		allowCycles: input.allow_cycles ?? allowCycles,
	};
}

/** Names for the ids in a subscription. Deleted resources have none. */
export interface KnownNames {
	sources: ReadonlyMap<string, string>;
	/** `name@version`. */
	endpoints: ReadonlyMap<string, string>;
}

export function subscriptionToWire(subscription: Subscription, names: KnownNames): Record<string, unknown> {
	const { sourceId, target, result } = subscription;
	return {
		id: subscription.id,
		name: subscription.name,
		source: sourceId === null ? null : (names.sources.get(sourceId) ?? null),
		source_id: sourceId,
		types: subscription.types,
		filters: subscription.filters,
		targets: [targetToWire(target, names)],
		transform: subscription.transform,
		result: result && {
			type: result.type,
			transform: result.transform,
			max_hops: result.maxHops,
			allow_cycles: result.allowCycles,
		},
		...statusOf(subscription),
		created_at: formatTime(subscription.createdAt),
		updated_at: formatTime(subscription.updatedAt),
	};
}

function targetToWire(
	target: Subscription["target"],
	{ endpoints }: KnownNames,
): Record<string, string | null> {
	if ("latestOf" in target) return { endpoint: `${target.latestOf}@latest` };
	return { endpoint: endpoints.get(target.endpointId) ?? null, endpoint_id: target.endpointId };
}
