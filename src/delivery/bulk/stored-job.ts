/** A bulk job as its dispatcher keeps it. Pure. */
import * as z from "zod";
import { storedCounts, storedOrder } from "./order.ts";

export const storedJob = z.object({
	order: storedOrder,
	part: z.object({ status: z.enum(["running", "done", "canceled"]), ...storedCounts }),
	/** Untried ones come first: what is tried meanwhile is met in the table. */
	stage: z.enum(["untried", "tried", "refused"]),
	/** Positions behind this one up to `end` have still to be looked at in this stage. */
	after: z.number(),
	end: z.number(),
});
export type Job = z.infer<typeof storedJob>;

export function isRunning({ part }: Job): boolean {
	return part.status === "running";
}
