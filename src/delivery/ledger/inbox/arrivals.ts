/**
 * Which of the deliveries that arrive are new. An event may arrive more than once: its message is sent again, or two
 * consumers have it.
 */
import type { Refused } from "../refused/refused.ts";
import { knownDeliveries } from "../table/table.ts";
import { waitingIn } from "./inbox-search.ts";
import type { IncomingEvent } from "./incoming.ts";
import type { Newcomers } from "./newcomers.ts";

/**
 * `unknown`: without tried deliveries, and without untried and refused ones of events received before. `full`: the ids of
 * those that did not fit when they first arrived.
 */
export function sortOut(
	items: readonly IncomingEvent[],
	{ sql, refused, newcomers }: { sql: SqlStorage; refused: Refused; newcomers: Newcomers },
): { unknown: IncomingEvent[]; full: string[] } {
	const ids = items.flatMap(({ decisions }) => decisions.map(({ deliveryId }) => deliveryId));
	const known = knownDeliveries(sql, ids);
	const full: string[] = [];
	for (const id of ids) {
		const became = known.has(id) ? undefined : newcomers.whatBecameOf(id);
		if (became === undefined) continue;
		known.add(id);
		if (became === "refused") full.push(id);
	}
	const storedAt = Math.min(...items.map((item) => item.storedAt ?? Number.POSITIVE_INFINITY));
	if (storedAt < Number.POSITIVE_INFINITY) {
		const wanted = new Set(ids.filter((id) => !known.has(id)));
		const waiting = waitingIn(sql, "inbox", wanted, storedAt);
		const refusedThen = refused.among(wanted.difference(waiting), storedAt);
		for (const id of [...waiting, ...refusedThen]) known.add(id);
		full.push(...refusedThen);
		newcomers.note(waiting, false);
		newcomers.note(refusedThen, true);
	}
	const unknown = items
		.map(({ event, decisions }) => ({
			event,
			// Known from now on, because one call may contain an event twice.
			decisions: decisions.filter(({ deliveryId }) => !known.has(deliveryId) && known.add(deliveryId)),
		}))
		.filter(({ decisions }) => decisions.length > 0);
	return { unknown, full };
}
