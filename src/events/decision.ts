/** Stored decisions, read back: what wrote them may have been another release. */
import * as z from "zod";
import type { Decision } from "./event.ts";

export const storedDecision: z.ZodType<Decision> = z.object({
	deliveryId: z.string(),
	subscriptionId: z.string(),
	subscriptionName: z.string(),
	endpointId: z.string(),
	endpointRef: z.string(),
	dead: z.literal("loop").exactOptional(),
	refused: z.literal("backlog_full").exactOptional(),
});

export const decisionList: z.ZodType<Decision[]> = z.array(storedDecision);
