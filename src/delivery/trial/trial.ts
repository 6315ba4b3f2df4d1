/**
 * A trial: one exchange with an endpoint that belongs to no delivery, to show what is sent and what
 * the response means. Prepared, sent and judged like an attempt, but not recorded, and with no
 * consequences.
 */
import type { Env } from "../../env.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { budgetOf, lineageAfter } from "../../events/lineage.ts";
import { lineageHeader } from "../../events/lineage-header.ts";
import { completionOf } from "../../models/completion.ts";
import type { Reading } from "../../models/exchange.ts";
import type { Protocol } from "../../models/protocol.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import { carry } from "../exchange/carriers/carry.ts";
import { dropRefusedToken } from "../exchange/credentials/oauth.ts";
import { prepareInput } from "../exchange/request/prepare.ts";
import { MAX_RESPONSE_BYTES } from "../exchange/carriers/send.ts";
import type { AttemptResult, OutgoingRequest } from "../rules/attempt.ts";
import { classify, type Verdict } from "../rules/classify.ts";

/** The longest timeout of a trial, ms, because a person is waiting for it. */
const MAX_TRIAL_MS = 60_000;

/** Neither can be a real id: those have no underscore after their prefix. */
const DELIVERY_PREFIX = "dlv_test_";
const EVENT_PREFIX = "evt_test_";
/**
 * Used in place of the subscription in the lineage of events that result from a
 * trial.
 */
const NO_SUBSCRIPTION = "sub_test";

/** An id for an event that is only sent in a trial. */
export function trialEventId(): string {
	return EVENT_PREFIX + randomPart();
}

export interface Tried {
	endpoint: ReadableEndpoint;
	protocol: Protocol;
	event: SluiceEvent;
	/** JSON text of the transform's output; null: the event itself is sent. */
	transformed: string | null;
	/** Names of this router. */
	ownHosts: readonly string[];
}

export interface Trial {
	/** null: the router does not send to the endpoint's address. */
	request: OutgoingRequest | null;
	result: AttemptResult;
	verdict: Verdict;
	/** What the protocol reads in the response; null if there is none to read. */
	said: Reading | null;
	/** ms since the epoch. */
	startedAt: number;
}

/**
 * `misfit`: why nothing can be sent. If the endpoint refuses its access token, the request is sent
 * once more with a new token, and the trial is that second exchange. Throws what the protocol or the
 * signing throws: a bug.
 */
export async function tryEndpoint(env: Env, tried: Tried): Promise<Trial | { misfit: string }> {
	const deliveryId = DELIVERY_PREFIX + randomPart();
	const first = await exchangeOnce(env, tried, { deliveryId, attempt: 1 });
	if ("misfit" in first || !dropRefusedToken(tried.endpoint.auth, first.result)) return first;
	const second = await exchangeOnce(env, tried, { deliveryId, attempt: 2 });
	if (!("misfit" in second)) dropRefusedToken(tried.endpoint.auth, second.result);
	return second;
}

async function exchangeOnce(
	env: Env,
	tried: Tried,
	{ deliveryId, attempt }: { deliveryId: string; attempt: number },
): Promise<Trial | { misfit: string }> {
	const { endpoint, event } = tried;
	const startedAt = Date.now();
	const prepared = await prepareInput({
		deliveryId,
		attempt,
		event,
		endpoint,
		transformed: tried.transformed,
		wantsReply: false,
		lineage: lineageHeader(env, lineageOf(event), startedAt),
		allowPrivate: env.ALLOW_PRIVATE_ENDPOINTS === "true",
		// Nothing waits for a callback: a server that can responds with its output.
		callbackUrl: null,
		ownHosts: tried.ownHosts,
		now: startedAt,
	});
	if (prepared.kind === "impossible") return { misfit: prepared.detail };
	if (prepared.kind === "ended") return judge(tried, null, prepared.result, startedAt);
	const timeoutMs = Math.min(endpoint.timeoutSeconds * 1000, MAX_TRIAL_MS);
	const result = await carry(env, prepared.request, { timeoutMs, maxBodyBytes: MAX_RESPONSE_BYTES });
	return judge(tried, prepared.request, result, startedAt);
}

/** Events that are posted because of a trial continue its lineage, so that loops end. */
function lineageOf(event: SluiceEvent): ReturnType<typeof lineageAfter> {
	return lineageAfter(event, NO_SUBSCRIPTION, budgetOf(event.attributes));
}

/** Judged like a first attempt, with no other success since it began. */
function judge(
	{ endpoint, protocol }: Tried,
	request: OutgoingRequest | null,
	result: AttemptResult,
	startedAt: number,
): Trial {
	const now = Date.now();
	const { retry } = endpoint;
	const coldStart = now - startedAt < retry.coldStartSeconds * 1000;
	const { statuses, busyStatuses } = retry;
	const { mode } = completionOf(endpoint);
	const context = { url: endpoint.url, completion: mode };
	const said = isReadable(result) ? protocol.read({ ...result, isStarting: coldStart }, context) : null;
	const completesLater = mode !== "sync";
	const rules = { statuses, busyStatuses, coldStart, completesLater, isSilent: true, now };
	const verdict = classify(result, rules, said);
	return { request, result, verdict, said, startedAt };
}

/** Protocols do not get an incomplete 2xx. */
function isReadable(result: AttemptResult): result is Extract<AttemptResult, { kind: "response" }> {
	if (result.kind !== "response") return false;
	return result.failure === null || result.status < 200 || result.status >= 300;
}

function randomPart(): string {
	return crypto.randomUUID().replaceAll("-", "");
}
