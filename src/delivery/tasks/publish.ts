/**
 * Sends the result event of a delivery to the queue. A delivery has succeeded only when the queue
 * has accepted its result event.
 */
import type { Env } from "../../env.ts";
import { enqueue } from "../../events/queue/enqueue.ts";
import { describeRefusal, type Refusal, refuseForNow } from "../../http/refusal.ts";
import { log } from "../../log.ts";
import { idsOf } from "../log-lines.ts";
import { advance, type Delivery } from "../rules/delivery.ts";
import type { DeliveryEvent } from "../rules/delivery-event.ts";
import type { Task } from "./task.ts";

export const publish: Task = {
	name: "publish",
	phase: "publishing",
	passesGates: false,
	atOnce: 5,
	run: async (delivery, _settings, { env }) => ({
		delivery: await publishResult(delivery, env),
		ended: null,
		signals: [],
	}),
};

/**
 * Returns the delivery after its result event was offered to the queue; unchanged if there is none.
 * Never throws.
 */
export async function publishResult(delivery: Delivery, env: Env): Promise<Delivery> {
	const { resultEvent } = delivery;
	if (resultEvent === null || delivery.state.phase !== "publishing") return delivery;
	const queued = await enqueue(env, [resultEvent]).catch((cause: unknown) =>
		refuseForNow("internal", String(cause)),
	);
	if (!queued.ok) {
		const error = describeRefusal(queued);
		log("result.refused", { ...idsOf(delivery), result_event_id: resultEvent.id, error });
	}
	const event: DeliveryEvent = queued.ok ? { kind: "published" } : afterRefusal(queued);
	const { delivery: after } = advance(delivery, event, { now: Date.now(), random: Math.random() });
	return {
		...after,
		resultEvent: after.state.phase === "publishing" ? resultEvent : null,
		resultEventId: event.kind === "published" ? resultEvent.id : null,
	};
}

/**
 * A queue that is full or down will accept the event later; an event that is too large is never
 * accepted.
 */
function afterRefusal({ status, message }: Refusal): DeliveryEvent {
	if (status >= 500) return { kind: "publish_failed" };
	return { kind: "impossible", reason: "too_large", detail: `The result event was refused: ${message}` };
}
