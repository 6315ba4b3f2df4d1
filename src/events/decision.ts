/**
 * Decisions: why a decision is not carried out, and how to read stored decisions, including those of other releases.
 */
import * as z from "zod";
import type { Attributes, Decision } from "./event.ts";
import { loopDetail } from "./loop.ts";

/** Why a delivery must not be made. Also the reason of a dead delivery. */
export type Refused = "loop" | "budget";

/** Returns null if the delivery should be made. */
export function refusedBy({ dead, isOverBudget }: Pick<Decision, "dead" | "isOverBudget">): Refused | null {
	if (dead === undefined) return null;
	return isOverBudget === true ? "budget" : "loop";
}

const OVER_BUDGET =
	"The original event has already caused as many requests as its budget (RESULT_BUDGET) allows.";

/** The detail text of a refused delivery. `subscription`: see `loopDetail`. */
export function refusedDetail(
	refused: Refused,
	attributes: Attributes,
	subscription: Parameters<typeof loopDetail>[1],
): string {
	return refused === "budget" ? OVER_BUDGET : loopDetail(attributes, subscription);
}

export const storedDecision: z.ZodType<Decision> = z.object({
	deliveryId: z.string(),
	subscriptionId: z.string(),
	subscriptionName: z.string(),
	endpointId: z.string(),
	endpointRef: z.string(),
	dead: z.literal("loop").exactOptional(),
	isOverBudget: z.literal(true).exactOptional(),
	budget: z.number().exactOptional(),
	refused: z.literal("backlog_full").exactOptional(),
	withheld: z.literal(true).exactOptional(),
});

export const decisionList: z.ZodType<Decision[]> = z.array(storedDecision);
