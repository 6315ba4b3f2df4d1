/**
 * The end of a job: what the server reports becomes the outcome of the attempt that started it. No
 * I/O except the subscription's transform.
 */
import type { Reported } from "../../models/exchange.ts";
import { excerpt, showable } from "../exchange/response/excerpt.ts";
import { reportedBy } from "../exchange/response/reported.ts";
import type { Attempt, JobEnd } from "../records.ts";
import type { AttemptResult, Outcome } from "../rules/attempt.ts";
import { beganJob, keepAttempts, nextNumber } from "../rules/attempts.ts";
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
	/** The number of the earlier attempt whose job has ended; null: the current job has ended. */
	former: number | null;
}

/** Whether the job has failed. */
export function hasFailed(told: Told): boolean {
	return verdictOn(told).outcome !== "done";
}

/** Ends the job of a delivery. Nothing is reported to the endpoint's gates, because this is not an exchange. */
export async function complete(completed: Completed): Promise<Ran> {
	const { delivery, said, result, now } = completed;
	const verdict = verdictOn(completed);
	const failed = verdict.outcome !== "done";
	const error = failed ? (said?.error ?? errorIn(completed)) : unreadIn(result);
	const end: JobEnd = {
		at: now,
		by: completed.by,
		outcome: verdict.outcome,
		error: error && showable(error, secretsOf(completed)),
	};
	const after = {
		...delivery,
		attempts: withEnd(delivery, { ...reportedBy(said, result, secretsOf(completed)), job: end }, completed),
	};
	return { ...(await conclude({ ...completed, delivery: after }, verdict, end.error)), ended: null };
}

/** The server did not end the job in time: the deadline ends it. */
export function passDeadline(delivery: Delivery, { retry, now, random }: DeadlinePassed): Ran {
	const end: JobEnd = {
		at: now,
		by: "deadline",
		outcome: "error",
		error: "The output did not arrive in time.",
	};
	const after = {
		...delivery,
		attempts: withEnd(delivery, { job: end }, { startedAt: null, former: null, now }),
	};
	return { ...advance(after, { kind: "deadline_passed", retry }, { now, random }), ended: null };
}

export interface DeadlinePassed {
	retry: Concluding["endpoint"]["retry"];
	now: number;
	random: number;
}

type Told = Pick<Completed, "result" | "said" | "now" | "by">;

/** Not accepted from a callback, which is about one job: anyone who has its URL could stop the whole endpoint. */
const OF_ENDPOINT: readonly Outcome[] = ["unauthorized", "quota", "gone"];

function verdictOn({ result, said, now, by }: Told): Verdict {
	const verdict = classify(
		result,
		// The endpoint's rules for statuses apply to requests that carry an event.
		{ statuses: [], busyStatuses: [], coldStart: false, completesLater: false, isSilent: false, now },
		said,
	);
	const { outcome } = verdict;
	// A job that has ended cannot be accepted. If it counted as busy, it would be started again forever without
	// spending an attempt.
	const isNoEnd = outcome === "accepted" || outcome === "busy";
	const isError = isNoEnd || (by === "callback" && OF_ENDPOINT.includes(outcome));
	return isError ? { ...verdict, outcome: "error" } : verdict;
}

/** Why the output of a job that succeeded cannot be read, as for a response; null: it can. */
function unreadIn(result: AttemptResult): string | null {
	const failure = result.kind === "response" ? result.failure : null;
	return failure && `${failure.error}: ${failure.message}`;
}

/** For servers whose protocol does not report errors: the attempt's own excerpt is from the earlier response. */
function errorIn(completed: Completed): string {
	const { result, by } = completed;
	if (result.kind !== "response") return "The server did not respond.";
	const text = excerpt(result, secretsOf(completed));
	const told = by === "callback" ? "called back with status" : "responded";
	return `The server ${told} ${result.status}${text === null ? "." : `: ${text}`}`;
}

/**
 * The end is stored with the attempt that started the job; an attempt still in progress is recorded
 * together with it.
 */
function withEnd(
	delivery: Delivery,
	end: Pick<Attempt, "job"> & Reported,
	{ startedAt, former, now }: Pick<Completed, "startedAt" | "former" | "now">,
): Attempt[] {
	const { attempts } = delivery;
	const told =
		attempts.find(({ at, number }) => (former === null ? at === startedAt : number === former)) ??
		(startedAt === null ? (beganJob(delivery) ?? attempts.at(-1)) : undefined);
	if (told !== undefined) return attempts.map((one) => (one === told ? { ...told, ...end } : one));
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
