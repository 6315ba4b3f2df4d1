/** A bulk job as a dispatcher stores it. Pure. */
import * as z from "zod";
import { storedCounts, storedOrder } from "./order.ts";

const storedPart = z.object({ status: z.enum(["running", "done", "canceled"]), ...storedCounts });

export const storedJob = z.object({
	order: storedOrder,
	part: storedPart,
	/** Untried deliveries come first: those that are tried in the meantime are found in the table later. */
	stage: z.enum(["untried", "tried", "refused"]),
	/**
	 * This stage still has to look at the positions after this one, up to and including
	 * `end`.
	 */
	after: z.number(),
	end: z.number(),
});
export type Job = z.infer<typeof storedJob>;

/** What is kept of a job after its end. */
export const storedEndedJob = z.object({ id: z.string(), part: storedPart });
export type EndedJob = z.infer<typeof storedEndedJob>;

export function isRunning({ part }: Job): boolean {
	return part.status === "running";
}
