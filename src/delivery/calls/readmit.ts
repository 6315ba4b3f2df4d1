/**
 * Sends a delivery that was refused for lack of room: its event is read from the event
 * log.
 */
import type { Env } from "../../env.ts";
import { logOf } from "../../events/ids.ts";
import { findEvent } from "../../events/log/find.ts";
import { log } from "../../log.ts";
import { eventLog } from "../../objects/clients.ts";
import type { Backlog } from "../ledger/backlog.ts";
import type { Delivery } from "../rules/delivery.ts";
import { isRefused } from "../ledger/refused/refused-delivery.ts";
import { idsOf } from "../log-lines.ts";
import { type Refused, retried } from "../rules/by-hand.ts";

/**
 * Returns the delivery as it is in the backlog now, or why it cannot be sent. null: it was not
 * refused, or no longer counts as refused. Throws if the event log cannot be reached.
 */
export async function readmit(id: string, backlog: Backlog, env: Env): Promise<Delivery | Refused | null> {
	const found = backlog.find(id);
	if (found === null || !isRefused(found)) return null;
	if (backlog.roomFor(1, Date.now()) === 0) return { ok: false, code: "backlog_full" };
	const entry = await findEvent(env, found.eventId);
	if (entry === null) return { ok: false, code: "event_forgotten" };
	// Another request may have readmitted it in the meantime.
	const refused = backlog.find(id);
	if (refused === null || !isRefused(refused)) return null;
	const now = Date.now();
	const changed = retried({ ...refused, event: entry.event }, { now, random: Math.random() });
	if ("ok" in changed) return changed;
	return backlog.readmit(changed, now) ? changed : { ok: false, code: "backlog_full" };
}

/**
 * Tells the event log that the delivery is no longer refused. Never throws: this only affects what
 * is shown.
 */
export async function tellReadmitted(delivery: Delivery, env: Env): Promise<void> {
	const { id, event } = delivery;
	if (event === null) return;
	await eventLog(env, logOf(event))
		.noteRefused([{ eventId: event.id, deliveryIds: [id] }], false)
		.catch((error: unknown) => {
			log("delivery.refusal_unwritten", { ...idsOf(delivery), error: String(error) });
		});
}
