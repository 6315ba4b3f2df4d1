/**
 * The result of one attempt: the attempt's record, and the next state of the delivery. conclude.ts
 * decides what an output becomes. No I/O except the subscription's transform.
 */
import { completionOf } from "../../models/completion.ts";
import type { Reading } from "../../models/exchange.ts";
import { MAX_HANDLE_LENGTH } from "../../models/jobs/jobs.ts";
import { protocolOf } from "../../models/registry.ts";
import type { ReadableEndpoint, Subscription } from "../../store/records.ts";
import { recordAttempt } from "../exchange/response/attempt-record.ts";
import { reportedBy } from "../exchange/response/reported.ts";
import type { Attempt } from "../records.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import { keepAttempts, nextNumber } from "../rules/attempts.ts";
import { classify, type Verdict } from "../rules/classify.ts";
import { advance, type Delivery } from "../rules/delivery.ts";
import type { DeliveryEvent } from "../rules/delivery-event.ts";
import { isTokenStale, STALE_TOKEN } from "../rules/stale-token.ts";
import { conclude, secretsOf } from "./conclude.ts";
import type { Ended, Ran } from "./task.ts";

/** Characters kept of an internal error of the router. */
export const MAX_ERROR_LENGTH = 500;

export interface Tried {
	delivery: Delivery;
	endpoint: ReadableEndpoint;
	subscription: Subscription;
	result: AttemptResult;
	/** The credential in the callback URL that was sent; null: none was sent. */
	callbackToken: string | null;
	/** When the attempt began, and the current time; ms since the epoch. */
	startedAt: number;
	now: number;
	/** From 0 to 1. */
	random: number;
	/** Whether nothing has succeeded at the endpoint since the attempt began. */
	isSilent: boolean;
	/**
	 * Whether the exchange was considered lost: then only a success counts, and any other outcome is
	 * only recorded.
	 */
	isLate: boolean;
}

export async function settle(tried: Tried): Promise<Ran> {
	const { delivery, endpoint, result, now, random } = tried;
	const coldStart = isColdStart(tried);
	const completing = completionOf(endpoint);
	const said = readResponse(tried, coldStart);
	const rules = {
		statuses: endpoint.retry.statuses,
		busyStatuses: endpoint.retry.busyStatuses,
		coldStart,
		completesLater: completing.mode !== "sync",
		isSilent: tried.isSilent,
		now,
	};
	const { verdict, handle, polls, lost } = judge(tried, classify(result, rules, said), said);
	const { outcome, scope, retryAfterMs } = verdict;
	const ended = { outcome, scope, retryAfterMs };
	const isStale = outcome === "unauthorized" && isTokenStale(endpoint.auth, result, delivery.attempts);
	const isGood = outcome === "done" || outcome === "accepted";
	const attempt = recordAttempt(
		tried,
		outcome,
		lost ?? (isGood ? null : isStale ? STALE_TOKEN : (said?.error ?? null)),
		secretsOf(tried),
	);
	const reported = reportedBy(said, result, secretsOf(tried));
	const told = delivery.attempts.find(({ at, job }) => at === tried.startedAt && job);
	// The job that this attempt started ended before the server responded.
	if (told !== undefined) return { delivery: withResponse(delivery, told, attempt), ended, signals: [] };
	const after = { ...delivery, attempts: keepAttempts([...delivery.attempts, { ...attempt, ...reported }]) };
	const context = { now, random };
	// Another exchange ended first, or this one had been given up: its outcome is only recorded.
	if (delivery.state.phase !== "pending") {
		const isUnwanted = outcome === "accepted" && delivery.state.phase !== "waiting";
		return { delivery: after, ended, signals: [], ...(isUnwanted && { unwanted: { handle } }) };
	}
	if (tried.isLate && !isGood) return { delivery: after, ended: null, signals: [] };
	if (isStale) return { ...advance(after, { kind: "brought_forward" }, context), ended };
	if (outcome === "accepted") {
		const { deadlineMs } = completing;
		const { number } = attempt;
		const accepted: DeliveryEvent = {
			kind: "accepted",
			handle,
			attempt: number,
			deadlineMs,
			polls,
			retryAfterMs,
		};
		return { ...advance(after, accepted, context), ended };
	}
	return { ...(await conclude({ ...tried, delivery: after, said }, verdict, attempt.error)), ended };
}

interface Judged {
	verdict: Verdict;
	handle: string | null;
	/** Whether the server is polled for the output. */
	polls: boolean;
	/** Why the output of an accepted job can never be read; null: it can. */
	lost: string | null;
}

/** A job that can neither be polled nor call back has no output: the same request would fail again. */
function judge({ endpoint }: Tried, verdict: Verdict, said: Reading | null): Judged {
	const named = said?.handle ?? null;
	const handle = named !== null && named.length <= MAX_HANDLE_LENGTH ? named : null;
	const canPoll = handle !== null && protocolOf(endpoint.protocol)?.jobs?.poll !== undefined;
	const isCalledBack = completionOf(endpoint).mode === "callback";
	if (verdict.outcome !== "accepted" || isCalledBack || canPoll) {
		return { verdict, handle, polls: !isCalledBack && canPoll, lost: null };
	}
	const lost =
		said?.error ?? "The server has accepted the job, but does not say where its output can be read.";
	return { verdict: { ...verdict, outcome: "bad_input" }, handle, polls: false, lost };
}

/** The attempt was recorded when its job ended; now the response of the server is added to it. */
function withResponse(delivery: Delivery, told: Attempt, attempt: Attempt): Delivery {
	const { durationMs, statusCode, error, excerpt } = attempt;
	const attempts = delivery.attempts.map((one) =>
		one === told ? { ...told, durationMs, statusCode, error, excerpt } : one,
	);
	return { ...delivery, attempts };
}

/**
 * An attempt whose outcome could not be processed, which is a bug in the router. The request was
 * sent, so it counts: the attempt is recorded and spent, and the schedule limits retries as for any
 * error.
 */
export function settleFailed(tried: Tried, error: unknown): Ran {
	const { delivery, endpoint, startedAt, now, random } = tried;
	const attempt: Attempt = {
		number: nextNumber(delivery.attempts),
		at: startedAt,
		durationMs: tried.result.durationMs,
		statusCode: tried.result.kind === "response" ? tried.result.status : null,
		outcome: "error",
		error: `internal: The router could not handle the response: ${String(error)}`.slice(0, MAX_ERROR_LENGTH),
		excerpt: null,
	};
	const ended: Ended = { outcome: "error", scope: "request", retryAfterMs: null };
	const happened: DeliveryEvent = {
		kind: "attempted",
		outcome: "error",
		scope: "request",
		retryAfterMs: null,
		publishes: false,
		retry: endpoint.retry,
	};
	const attempts = keepAttempts([...delivery.attempts, attempt]);
	return { ...advance({ ...delivery, attempts }, happened, { now, random }), ended };
}

/**
 * What the protocol reads in the response; null if there is none, or if it is an incomplete 2xx.
 */
function readResponse({ endpoint, result }: Tried, isStarting: boolean): Reading | null {
	if (result.kind !== "response") return null;
	const { status, headers, body, failure } = result;
	if (failure !== null && status >= 200 && status < 300) return null;
	const context = { url: endpoint.url, completion: completionOf(endpoint).mode };
	return protocolOf(endpoint.protocol)?.read({ status, headers, body, isStarting }, context) ?? null;
}

/** Counted from the first attempt of this delivery: a starting model gets this long. */
function isColdStart({ delivery, endpoint, startedAt, now }: Tried): boolean {
	const firstTryAt = delivery.attempts[0]?.at ?? startedAt;
	return now - firstTryAt < endpoint.retry.coldStartSeconds * 1000;
}
