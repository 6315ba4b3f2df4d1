/** What a bulk job knows about its order at one dispatcher, and how each call to that dispatcher changes it. Pure. */
import * as z from "zod";
import { type BulkAnswer, NO_COUNTS, storedCounts } from "./order.ts";
import { ENDPOINT_STATUSES, type EndpointStatus, type Unfinished } from "./rpc.ts";

/** A dispatcher that has not responded, or has been busy, for this long is not asked any more. */
const GIVEN_UP_MS = 900_000;

export const storedPart = z.object({
	status: z.enum(ENDPOINT_STATUSES),
	/** Whether the dispatcher has reported that it began. Absent: an earlier build wrote it, and it may have begun. */
	isBegun: z.boolean().default(true),
	/**
	 * When the first of the latest consecutive calls failed or found it busy, ms since the epoch; null: the last call
	 * succeeded.
	 */
	failingSince: z.number().nullable().default(null),
	...storedCounts,
});
export type Part = z.infer<typeof storedPart>;

export const UNBEGUN: Part = { status: "running", isBegun: false, failingSince: null, ...NO_COUNTS };

/** `answer` null: the dispatcher did not respond. `now` in ms. */
export function nextPart(before: Part, answer: BulkAnswer | null, now: number): Part {
	if (answer !== null && "matched" in answer) {
		const { status, matched, done, skipped, failed } = answer;
		return { status, isBegun: true, failingSince: null, matched, done, skipped, failed };
	}
	if (answer?.status === "forgotten") return { ...before, status: "forgotten", failingSince: null };
	const failingSince = before.failingSince ?? now;
	const isGivenUp = now - failingSince >= GIVEN_UP_MS;
	const end: EndpointStatus = answer === null ? "unreachable" : "busy";
	return { ...before, failingSince, ...(isGivenUp && { status: end }) };
}

/** Whether this part has ended, but it is not known whether everything was done. */
export function isUnfinished({ status }: Pick<Part, "status">): boolean {
	return status === "unreachable" || status === "busy" || status === "forgotten";
}

export function unfinishedOf(parts: readonly Pick<Part, "status">[]): Unfinished {
	const count = (wanted: EndpointStatus): number => parts.filter(({ status }) => status === wanted).length;
	return { unreachable: count("unreachable"), busy: count("busy"), forgotten: count("forgotten") };
}
