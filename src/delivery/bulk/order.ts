/**
 * Retrying or canceling many deliveries at once: what is asked for, how far it has come, and which deliveries it may
 * touch. Pure shapes and rules.
 */
import * as z from "zod";
import { DELIVERY_STATUSES, type DeliveryFilters, type DeliveryStatus } from "../records.ts";

export const BULK_ACTIONS = ["retry", "cancel"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** What an action may touch. One that is in flight is left alone: nobody knows yet what comes of it. */
export const TOUCHED = {
	retry: ["pending", "dead", "canceled"],
	cancel: ["pending", "waiting", "publishing"],
} as const satisfies Record<BulkAction, readonly DeliveryStatus[]>;

export interface BulkOrder {
	/** `bulk_…` */
	id: string;
	action: BulkAction;
	/** Count only. */
	dryRun: boolean;
	filters: DeliveryFilters;
}

export interface BulkCounts {
	/** Found so far. */
	matched: number;
	done: number;
	/** In flight at that moment, or something else by then. */
	skipped: number;
	/** Could not be changed: no room, an event that is forgotten, a form that this release cannot read. */
	failed: number;
}

/** What one dispatcher has of it. */
export interface BulkPart extends BulkCounts {
	status: "running" | "done" | "canceled";
}

export const NO_COUNTS: BulkCounts = { matched: 0, done: 0, skipped: 0, failed: 0 };

export function addCounts(left: BulkCounts, right: BulkCounts): BulkCounts {
	return {
		matched: left.matched + right.matched,
		done: left.done + right.done,
		skipped: left.skipped + right.skipped,
		failed: left.failed + right.failed,
	};
}

/** The statuses that are looked for: what the action may touch, as far as the filters ask for it. */
export function statusesOf({ action, filters }: Pick<BulkOrder, "action" | "filters">): DeliveryStatus[] {
	const { status, reason } = filters;
	return TOUCHED[action].filter(
		(one) => (status === undefined || one === status) && (reason === undefined || one === "dead"),
	);
}

const count = z.int().min(0);
export const storedCounts = { matched: count, done: count, skipped: count, failed: count };

export const storedOrder: z.ZodType<BulkOrder> = z.object({
	id: z.string(),
	action: z.enum(BULK_ACTIONS),
	dryRun: z.boolean(),
	// Strict: what a newer release narrows by must not be passed over.
	filters: z.strictObject({
		subscriptionId: z.string().exactOptional(),
		eventId: z.string().exactOptional(),
		status: z.enum(DELIVERY_STATUSES).exactOptional(),
		reason: z.string().exactOptional(),
		statusCode: z.number().exactOptional(),
		subject: z.string().exactOptional(),
		correlationId: z.string().exactOptional(),
		since: z.number().exactOptional(),
		until: z.number().exactOptional(),
	}),
});
