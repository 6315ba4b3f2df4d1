/** A bulk job as a dispatcher stores it. Pure. */
import * as z from "zod";
import { storedCounts, storedOrder } from "./order.ts";

export const storedJob = z.object({
	order: storedOrder,
	part: z.object({ status: z.enum(["running", "done", "canceled"]), ...storedCounts }),
	/**
	 * Untried deliveries come first: those that are tried meanwhile are found in the
	 * table later.
	 */
	stage: z.enum(["untried", "tried", "refused"]),
	/**
	 * This stage still has to look at the positions after this one, up to and including
	 * `end`.
	 */
	after: z.number(),
	end: z.number(),
});
export type Job = z.infer<typeof storedJob>;

export function isRunning({ part }: Job): boolean {
	return part.status === "running";
}
