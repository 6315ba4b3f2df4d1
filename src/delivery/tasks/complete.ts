/**
 * The end of a job: what the server reports becomes the outcome of the attempt that started it. No
 * I/O except the subscription's transform.
 */
import type { Reported } from "../../models/exchange.ts";
import { showable } from "../exchange/excerpt.ts";
import { reportedBy } from "../exchange/reported.ts";
import type { Attempt, JobEnd } from "../records.ts";
import { keepAttempts, nextNumber } from "../rules/attempts.ts";
import { classify, type Verdict } from "../rules/classify.ts";
import { advance, type Delivery } from "../rules/delivery.ts";
import { conclude, type Concluding, secretsOf } from "./conclude.ts";
import type { Ran } from "./task.ts";

export interface Completed extends Concluding {
	by: JobEnd["by"];
	/**
	 * When the attempt that started the job began, if that attempt is not recorded yet; ms since the
	 * epoch.
	 */
	startedAt: number | null;
}

/**
 * Ends the job of a delivery. The endpoint's gates are not told, because this is not an exchange.
 */
export async function complete(completed: Completed): Promise<Ran> {
	const { delivery, said, result, now } = completed;
	const verdict = verdictOn(completed);
	const failed = verdict.outcome !== "done";
	const error = failed ? (said?.error ?? `The server responded ${statusOf(result)}.`) : null;
	const end: JobEnd = {
		at: now,
		by: completed.by,
		outcome: verdict.outcome,
		error: error && showable(error, secretsOf(completed)),
	};
	const after = {
		...delivery,
		attempts: withEnd(
			delivery.attempts,
			{ ...reportedBy(said, result, secretsOf(completed)), job: end },
			completed,
		),
	};
	return { ...(await conclude({ ...completed, delivery: after }, verdict, end.error)), ended: null };
}

/** The server did not end the job in time: the deadline ends it. */
export function passDeadline(delivery: Delivery, { retry, now, random }: DeadlinePassed): Ran {
	const end: JobEnd = {
		at: now,
		by: "deadline",
		outcome: "error",
		error: "The output did not come in time.",
	};
	const after = { ...delivery, attempts: withEnd(delivery.attempts, { job: end }, { startedAt: null, now }) };
	return { ...advance(after, { kind: "deadline_passed", retry }, { now, random }), ended: null };
}

export interface DeadlinePassed {
	retry: Concluding["endpoint"]["retry"];
	now: number;
	random: number;
}

function verdictOn({ result, said, now }: Completed): Verdict {
	const verdict = classify(
		result,
		// The endpoint's rules for statuses apply to requests that carry an event.
		{ statuses: [], busyStatuses: [], coldStart: false, completesLater: false, isSilent: false, now },
		said,
	);
	// A job that has ended cannot be accepted.
	return verdict.outcome === "accepted" ? { ...verdict, outcome: "error" } : verdict;
}

function statusOf(result: Completed["result"]): string {
	return result.kind === "response" ? String(result.status) : "nothing";
}

/**
 * The end is stored with the attempt that started the job; an attempt still in progress is recorded
 * together with it.
 */
function withEnd(
	attempts: readonly Attempt[],
	end: Pick<Attempt, "job"> & Reported,
	{ startedAt, now }: Pick<Completed, "startedAt" | "now">,
): Attempt[] {
	const last = attempts.at(-1);
	if (startedAt === null && last !== undefined) return [...attempts.slice(0, -1), { ...last, ...end }];
	const at = startedAt ?? now;
	const begun: Attempt = {
		number: nextNumber(attempts),
		at,
		durationMs: now - at,
		statusCode: null,
		outcome: "accepted",
		error: null,
		excerpt: null,
		...end,
	};
	return keepAttempts([...attempts, begun]);
}
