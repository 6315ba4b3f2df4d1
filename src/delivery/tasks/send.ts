/**
 * Sends a delivery: applies the subscription's transform, exchanges request and response with the
 * endpoint, and applies the outcome. The result event is offered to the queue at once, so that a
 * delivery that succeeds is written only once.
 */
import { callbackToken } from "../../crypto/callback-token.ts";
import type { Env } from "../../env.ts";
import { type Refused, refusedDetail } from "../../events/decision.ts";
import { lineageAfter } from "../../events/lineage.ts";
import { lineageHeader } from "../../events/lineage-header.ts";
import { log } from "../../log.ts";
import { completionOf } from "../../models/completion.ts";
import { configuredHosts } from "../../store/own-hosts.ts";
import { isSending, type SendingSettings, subscriptionOf } from "../../store/views/settings.ts";
import type { Subscription } from "../../store/records.ts";
import { callbackAddress } from "../exchange/request/callback-url.ts";
import { dropRefusedToken } from "../exchange/credentials/oauth.ts";
import { type Prepared, prepare } from "../exchange/request/prepare.ts";
import type { Held } from "../hands/job.ts";
import { idsOf } from "../log-lines.ts";
import type { DeadReason } from "../records.ts";
import { type AttemptResult, MAX_TIMEOUT_MS } from "../rules/attempt.ts";
import { jobIdOf, nextNumber, retriedAfter } from "../rules/attempts.ts";
import { advance, type Delivery } from "../rules/delivery.ts";
import { publishResult } from "./publish.ts";
import { settleOutput } from "./conclude.ts";
import { MAX_ERROR_LENGTH, settle, settleFailed, type Tried } from "./settle.ts";
import type { Ran, Task, TaskIo } from "./task.ts";

export const SUBSCRIPTION_DELETED = "The subscription has been deleted.";

export const send: Task = {
	name: "send",
	phase: "pending",
	passesGates: true,
	atOnce: Number.POSITIVE_INFINITY,
	run: async (delivery, settings, io) => {
		if (!isSending(settings)) return released(delivery);
		return published(await attempt(delivery, settings, io), io.env);
	},
};

/**
 * Continues an exchange that an earlier life of the dispatcher began. `isLate`: it had been
 * considered lost; then only a success counts, and any other outcome is recorded without changing
 * anything.
 */
export async function resume(
	delivery: Delivery,
	settings: SendingSettings,
	io: TaskIo,
	exchange: { startedAt: Held["startedAt"]; ended: Promise<AttemptResult | null>; isLate: boolean },
): Promise<Ran> {
	const { startedAt, isLate } = exchange;
	// Until then the delivery is in progress, whatever else fails.
	const result = await exchange.ended;
	// A late exchange may end while another request of the delivery is still in progress.
	await (isLate ? io.whenTold(delivery.id) : io.settling(delivery.id));
	const subscription = await subscriptionOf(io.env, settings, delivery.subscriptionId);
	if (result === null || typeof subscription === "string") return released(io.current(delivery));
	return published(
		await conclude({ delivery, settings, subscription, result, startedAt, isLate }, io),
		io.env,
	);
}

async function attempt(delivery: Delivery, settings: SendingSettings, io: TaskIo): Promise<Ran> {
	const { env } = io;
	const { event } = delivery;
	const { endpoint } = settings;
	const startedAt = Date.now();
	if (delivery.refused !== null) return unsentAsRefused(delivery, delivery.refused, settings);
	const subscription = await subscriptionOf(env, settings, delivery.subscriptionId);
	if (subscription === "deleted") return unsent(delivery, "deleted", SUBSCRIPTION_DELETED);
	if (subscription === "missing") return putOff(delivery);
	// A delivery that can be sent again keeps its event; this one has none left to
	// send.
	if (event === null) return unsent(delivery, "deleted", "The event of the delivery is no longer stored.");
	// Retried after the transform of its output failed: the model has already returned its
	// output.
	if (delivery.resultEvent !== null) {
		return { delivery: await settleOutput(delivery, subscription, startedAt), ended: null, signals: [] };
	}
	const of = { deliveryId: delivery.id, attempt: nextNumber(delivery.attempts) };
	const prepared = await prepareOrFail(delivery, () =>
		prepare({
			...of,
			jobId: jobIdOf(delivery),
			retriedAfter: retriedAfter(delivery.attempts),
			event,
			endpoint,
			subscription,
			callbackUrl: callbackAddress(env, endpoint, of)?.url ?? null,
			lineage: lineageHeader(env, lineageAfter(event, subscription.id, delivery.budget), startedAt),
			allowPrivate: env.ALLOW_PRIVATE_ENDPOINTS === "true",
			ownHosts: configuredHosts(env) ?? settings.ownHosts,
			now: startedAt,
		}),
	);
	// A callback of an earlier attempt has ended the delivery in the meantime, so the model is not called again.
	await io.whenTold(delivery.id);
	const current = io.current(delivery);
	if (current.state.phase !== "pending") return { delivery: current, ended: null, signals: [] };
	if (prepared.kind === "impossible") return unsent(delivery, prepared.reason, prepared.detail);
	const { id: deliveryId, position } = delivery;
	const timeoutMs = Math.min(endpoint.timeoutSeconds * 1000, MAX_TIMEOUT_MS);
	const result =
		prepared.kind === "ended"
			? prepared.result
			: await io.exchange({ deliveryId, position, startedAt, request: prepared.request, timeoutMs });
	await io.settling(deliveryId);
	if (result === null) return released(io.current(delivery));
	return conclude({ delivery, settings, subscription, result, startedAt, isLate: false }, io);
}

/**
 * Uses the known settings of the subscription: nothing is read for a delivery that is not sent.
 */
function unsentAsRefused(
	delivery: Delivery,
	refused: Refused,
	{ subscriptions, others }: SendingSettings,
): Ran {
	const { subscriptionId: id, event } = delivery;
	const known = subscriptions.get(id) ?? others.get(id);
	const result = typeof known === "object" ? known.result : undefined;
	const attributes = event?.attributes ?? { id: "", source: "", type: "" };
	return unsent(delivery, refused, refusedDetail(refused, attributes, { id, result }));
}

interface Exchanged {
	delivery: Delivery;
	settings: SendingSettings;
	subscription: Subscription;
	result: AttemptResult;
	startedAt: number;
	isLate: boolean;
}

/**
 * Everything that happens after the request was sent counts as an attempt, even if a bug in the
 * router interrupts it.
 */
async function conclude(exchanged: Exchanged, io: TaskIo): Promise<Ran> {
	const { settings, subscription, result, startedAt, isLate } = exchanged;
	const delivery = io.current(exchanged.delivery);
	dropRefusedToken(settings.endpoint.auth, result);
	const tried: Tried = {
		delivery,
		callbackToken: tokenOf(settings.endpoint, delivery, io.env),
		endpoint: settings.endpoint,
		subscription,
		result,
		startedAt,
		now: Date.now(),
		random: Math.random(),
		isSilent: !io.succeededSince(startedAt),
		isLate,
	};
	const ran = await settle(tried).catch((error: unknown) => {
		log("delivery.failed", { ...idsOf(delivery), error: String(error) });
		return settleFailed(tried, error);
	});
	if (ran.unwanted !== undefined) io.cancelJob(delivery, settings, ran.unwanted);
	return ran;
}

async function published(ran: Ran, env: Env): Promise<Ran> {
	return { ...ran, delivery: await publishResult(ran.delivery, env) };
}

/**
 * A request that cannot be made because of a bug in the router is an attempt too, so that the
 * schedule limits retries.
 */
async function prepareOrFail(delivery: Delivery, work: () => Promise<Prepared>): Promise<Prepared> {
	try {
		return await work();
	} catch (error) {
		log("delivery.failed", { ...idsOf(delivery), error: String(error) });
		const message = `The router could not make the request: ${String(error)}`.slice(0, MAX_ERROR_LENGTH);
		return { kind: "ended", result: { kind: "no_response", error: "internal", message, durationMs: 0 } };
	}
}

/** The credential in the callback URL that was sent with the request. */
function tokenOf(endpoint: SendingSettings["endpoint"], { id }: Delivery, env: Env): string | null {
	return completionOf(endpoint).mode === "callback" ? callbackToken(env, id) : null;
}

/** The outcome is unknown: the delivery is due at once and has spent no attempt. */
function released(delivery: Delivery): Ran {
	return step(delivery, { kind: "brought_forward" });
}

/**
 * A missing subscription alone does not end a delivery: a restored or replaced database may lack rows that were never
 * deleted.
 */
function putOff(delivery: Delivery): Ran {
	const detail =
		"The subscription is missing from the database but was not deleted. The delivery waits for it.";
	return step(delivery, { kind: "put_off", detail });
}

function unsent(delivery: Delivery, reason: DeadReason, detail: string): Ran {
	return step(delivery, { kind: "impossible", reason, detail });
}

function step(delivery: Delivery, event: Parameters<typeof advance>[1]): Ran {
	return { ...advance(delivery, event, { now: Date.now(), random: 0 }), ended: null };
}
