/** Untried deliveries as they are before their first attempt: a single one, or all of an inbox row. */
import { refusedBy } from "../../../events/decision.ts";
import { timeOfPosition } from "../../../events/position.ts";
import type { Delivery } from "../../rules/delivery.ts";
import { fresh } from "../../rules/state.ts";
import { knownDeliveries } from "../table/table.ts";
import { inboxRowAt, nextInbox } from "./inbox.ts";
import type { NextInbox } from "./inbox-row.ts";
import type { Incoming } from "./incoming.ts";

/** A row of the inbox, with the deliveries that have not been tried. */
export interface UntriedRow {
	seq: number;
	/** The position of its last delivery. */
	last: number;
	deliveries: Delivery[];
	/** How many characters were read. */
	size: number;
}

/** The deliveries after a position, from one row; null: there is no further row. */
export function untriedBehind(sql: SqlStorage, after: number): UntriedRow | null {
	const at = inboxRowAt(sql, after + 1);
	const holding = at === 0 ? null : nextInbox(sql, at - 1);
	const row = holding !== null && lastOf(holding) > after ? holding : nextInbox(sql, Math.max(after, at));
	if (row === null) return null;
	const incoming = "deliveries" in row ? row.deliveries : [];
	const known = knownDeliveries(
		sql,
		incoming.map(({ decision }) => decision.deliveryId),
	);
	const deliveries = incoming
		.filter(({ position, decision }) => position > after && !known.has(decision.deliveryId))
		.flatMap((one) => toDelivery(one) ?? []);
	return { seq: row.seq, last: lastOf(row), deliveries, size: "size" in row ? row.size : 0 };
}

function lastOf(row: NextInbox): number {
	const { length } = "deliveries" in row ? row.deliveries : row.unreadable;
	return row.seq + Math.max(length, 1) - 1;
}

/** An untried delivery as it is before its first attempt. */
export function toDelivery(incoming: Incoming | null): Delivery | null {
	if (incoming === null) return null;
	const { position, event, decision } = incoming;
	return {
		position,
		id: decision.deliveryId,
		eventId: event.id,
		subscriptionId: decision.subscriptionId,
		subscriptionName: decision.subscriptionName,
		endpointRef: decision.endpointRef,
		state: fresh(timeOfPosition(position)),
		refused: refusedBy(decision),
		budget: decision.budget ?? null,
		attempts: [],
		event,
		result: null,
		resultOmitted: null,
		resultEvent: null,
		resultEventId: null,
	};
}
