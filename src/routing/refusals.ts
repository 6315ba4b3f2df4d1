/**
 * Deliveries that their dispatchers had no room for. This does not fail the message: the event log stores it as the
 * final state of the delivery, in one call per log and load.
 */
import { eventLog } from "../objects/clients.ts";
import type { Env } from "../env.ts";
import { logOf } from "../events/ids.ts";
import { log } from "../log.ts";
import { concurrently } from "../objects/concurrently.ts";
import type { Routed } from "./loads.ts";

export class Refusals {
	readonly #refused: { item: Routed; deliveryIds: string[] }[] = [];

	/** Notes the ids of `items` that a dispatcher had no room for, and marks their decisions. */
	note(items: readonly Routed[], full: readonly string[]): void {
		if (full.length === 0) return;
		const ids = new Set(full);
		for (const item of items) {
			const refused = item.decisions.filter(({ deliveryId }) => ids.has(deliveryId));
			for (const decision of refused) decision.refused = "backlog_full";
			const deliveryIds = refused.map(({ deliveryId }) => deliveryId);
			if (deliveryIds.length > 0) this.#refused.push({ item, deliveryIds });
		}
	}

	/**
	 * Stores the refusals. Calls `fail` for messages whose refusals could not be stored, so that they retry. Never
	 * throws.
	 */
	async keep(env: Env, callsAtOnce: number, fail: (message: Message) => void): Promise<void> {
		const byLog = Map.groupBy(this.#refused, ({ item }) => logOf(item.event));
		await concurrently(byLog, callsAtOnce, async ([logId, group]) => {
			const byEvent = Map.groupBy(group, ({ item }) => item.event.id);
			const refusals = Array.from(byEvent, ([eventId, refused]) => ({
				eventId,
				deliveryIds: refused.flatMap(({ deliveryIds }) => deliveryIds),
			}));
			try {
				await eventLog(env, logId).noteRefused(refusals, true);
			} catch (error) {
				log("router.refusal_unwritten", {
					log_id: logId,
					events: refusals.length,
					error: String(error),
				});
				for (const { item } of group) fail(item.message);
			}
		});
	}
}
