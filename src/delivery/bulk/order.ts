/**
 * Bulk retry and cancel: the order, its progress, and which deliveries an action may change. Pure
 * shapes and rules.
 */
import * as z from "zod";
import { DELIVERY_STATUSES, type DeliveryFilters, type DeliveryStatus } from "../records.ts";

export const BULK_ACTIONS = ["retry", "cancel"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/**
 * Statuses that an action may change. Deliveries in flight are skipped, because their outcome is
 * not known yet.
 */
export const TOUCHED = {
	retry: ["pending", "dead", "canceled"],
	cancel: ["pending", "waiting", "publishing"],
} as const satisfies Record<BulkAction, readonly DeliveryStatus[]>;

export interface BulkOrder {
	/** `bulk_…` */
	id: string;
	action: BulkAction;
	/** Only count the matches. */
	dryRun: boolean;
	filters: DeliveryFilters;
}

export interface BulkCounts {
	/** Found so far. */
	matched: number;
	done: number;
	/**
	 * In flight at that moment, or no longer in a status that the action may change.
	 */
	skipped: number;
	/**
	 * Could not be changed: there is no room, the event has expired, or this release cannot read the
	 * row.
	 */
	failed: number;
}

/** The progress of one dispatcher. */
export interface BulkPart extends BulkCounts {
	status: "running" | "done" | "canceled";
}

/**
 * A dispatcher's response to an order. busy: too many other orders are unfinished here, and this one has not
 * begun. forgotten: it has begun, and so many others have ended since that its outcome is no longer known; it
 * is never started again.
 */
export type BulkAnswer = BulkPart | { status: "busy" | "forgotten" };

export const NO_COUNTS: BulkCounts = { matched: 0, done: 0, skipped: 0, failed: 0 };

export function addCounts(left: BulkCounts, right: BulkCounts): BulkCounts {
	return {
		matched: left.matched + right.matched,
		done: left.done + right.done,
		skipped: left.skipped + right.skipped,
		failed: left.failed + right.failed,
	};
}

/** The statuses to look for: those that the action may change and the filters select. */
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
	// Strict, because a filter that a newer release adds must not be ignored.
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
