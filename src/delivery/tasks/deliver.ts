/**
 * Takes one delivery a step further: an attempt, and the publication of its answer. It writes nothing of the
 * delivery and knows nothing of its dispatcher; what follows for the endpoint comes back as effects.
 */
import type { Env } from "../../env.ts";
import { enqueue } from "../../events/queue/enqueue.ts";
import { log } from "../../log.ts";
import { type Refusal, describeRefusal, refuseForNow } from "../../http/refusal.ts";
import { type SendingPolicy, subscriptionOf } from "../../store/policy.ts";
import type { Endpoint } from "../../store/records.ts";
import type { Delivery } from "../ledger/delivery-row.ts";
import { nextNumber } from "../rules/attempts.ts";
import { step, type Effect, type Happened } from "../rules/lifecycle.ts";
import { idsOf } from "../log-lines.ts";
import { type Job, perform, type Performed } from "../exchange/perform.ts";
import type { DeadReason } from "../records.ts";
import {
	type Ended,
	MAX_ERROR_LENGTH,
	settle,
	settleAnswer,
	settleFailed,
	type Tried,
} from "../rules/settle.ts";

/** The delivery as it is after the step, not yet written. */
export interface Delivered {
	delivery: Delivery;
	/** How the exchange ended; null when nothing was sent. */
	ended: Ended | null;
	effects: Effect[];
}

export const SUBSCRIPTION_DELETED = "The subscription has been deleted.";

export interface DeliverIo {
	env: Env;
	/** Whether anything has succeeded at the endpoint since a moment, ms since the epoch. */
	succeededSince: (at: number) => boolean;
}

/** Sends it, and publishes the answer where its subscription says so. */
export async function deliver(delivery: Delivery, policy: SendingPolicy, io: DeliverIo): Promise<Delivered> {
	const { env } = io;
	const tried = await attempt(delivery, policy, io);
	return { ...tried, delivery: await publish(tried.delivery, env) };
}

/** Offers the queue once more what it would not take before; the model is not asked again. */
export async function publishAgain(delivery: Delivery, env: Env): Promise<Delivered> {
	return { delivery: await publish(delivery, env), ended: null, effects: [] };
}

async function attempt(
	delivery: Delivery,
	policy: SendingPolicy,
	{ env, succeededSince }: DeliverIo,
): Promise<Delivered> {
	const { event } = delivery;
	const { endpoint } = policy;
	const startedAt = Date.now();
	if (delivery.refused === "loop") {
		const detail = "The event came through this subscription before, or is deeper than its max_hops allows.";
		return untried(delivery, "loop", detail);
	}
	const subscription = await subscriptionOf(env, policy, delivery.subscriptionId);
	if (subscription === "deleted") return untried(delivery, "deleted", SUBSCRIPTION_DELETED);
	if (subscription === "missing") return putOff(delivery);
	// A delivery that can be sent again keeps its event: nothing is left to send.
	if (event === null) return untried(delivery, "deleted", "The event of the delivery is not there any more.");
	// Asked for again after the transform of its answer failed: the model has done its part.
	if (delivery.resultEvent !== null) {
		const settled = await settleAnswer(delivery, endpoint, subscription, startedAt);
		return { delivery: settled, ended: null, effects: [] };
	}
	const performed = await performOrFail({
		deliveryId: delivery.id,
		attempt: nextNumber(delivery.attempts),
		event,
		endpoint,
		subscription,
		allowPrivate: env.ALLOW_PRIVATE_ENDPOINTS === "true",
		now: startedAt,
	});
	if (performed.kind === "impossible") return untried(delivery, performed.reason, performed.detail);
	const tried: Tried = {
		delivery,
		endpoint,
		subscription,
		result: performed.result,
		startedAt,
		now: Date.now(),
		random: Math.random(),
		isSilent: !succeededSince(startedAt),
	};
	return settle(tried).catch((error: unknown) => {
		log("delivery.failed", { ...idsOf(delivery), error: String(error) });
		return settleFailed(tried, error);
	});
}

/** What cannot even be sent because of a bug of ours is an attempt too, so that the schedule bounds it. */
async function performOrFail(job: Job): Promise<Performed> {
	try {
		return await perform(job);
	} catch (error) {
		log("delivery.failed", { delivery_id: job.deliveryId, error: String(error) });
		const message = `The router could not make the request: ${String(error)}`.slice(0, MAX_ERROR_LENGTH);
		return { kind: "tried", result: { kind: "no_response", error: "internal", message, durationMs: 0 } };
	}
}

/** Its absence alone ends nothing: a database that was restored or exchanged lacks what nobody has deleted. */
function putOff(delivery: Delivery): Delivered {
	const detail = "The subscription is not in the database, and was not deleted: the delivery waits for it.";
	const { state } = step(delivery.state, { kind: "put_off", detail }, { now: Date.now(), random: 0 });
	return { delivery: { ...delivery, state }, ended: null, effects: [] };
}

function untried(delivery: Delivery, reason: DeadReason, detail: string): Delivered {
	return { delivery: endUntried(delivery, reason, detail), ended: null, effects: [] };
}

/** The delivery as dead without having been sent. */
export function endUntried(delivery: Delivery, reason: DeadReason, detail: string): Delivery {
	const happened: Happened = { kind: "impossible", reason, detail };
	return { ...delivery, state: step(delivery.state, happened, { now: Date.now(), random: 0 }).state };
}

/** A delivery is done only when the queue has its result event; a refusal keeps both for another time. */
async function publish(delivery: Delivery, env: Env): Promise<Delivery> {
	const { resultEvent } = delivery;
	if (resultEvent === null || delivery.state.status !== "publishing") return delivery;
	const queued = await enqueue(env, [resultEvent]).catch((cause: unknown) =>
		refuseForNow("internal", String(cause)),
	);
	if (!queued.ok) {
		const error = describeRefusal(queued);
		log("result.refused", { ...idsOf(delivery), result_event_id: resultEvent.id, error });
	}
	const happened: Happened = queued.ok ? { kind: "published" } : afterRefusal(queued);
	const { state } = step(delivery.state, happened, { now: Date.now(), random: Math.random() });
	return {
		...delivery,
		state,
		resultEvent: state.status === "publishing" ? resultEvent : null,
		resultEventId: happened.kind === "published" ? resultEvent.id : null,
	};
}

/** A queue that is full or down will take it later; an event that is too large it will never take. */
function afterRefusal({ status, message }: Refusal): Happened {
	if (status >= 500) return { kind: "publish_failed" };
	return { kind: "impossible", reason: "too_large", detail: `The result event was refused: ${message}` };
}

/** The delivery with the attempt spent that was not counted while its failure seemed to be the endpoint's. */
export function blame(delivery: Delivery, { retry }: Pick<Endpoint, "retry">): Delivery {
	const context = { now: Date.now(), random: Math.random() };
	return { ...delivery, state: step(delivery.state, { kind: "blamed", retry }, context).state };
}
