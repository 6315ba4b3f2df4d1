/** Lists the deliveries of one dispatcher for people: tried, untried and under way as one list, newest first. */
import { timeOfPosition } from "../events/position.ts";
import { toRecord, type Delivery } from "./delivery-row.ts";
import { knownDeliveries, listDeliveries, rangeOf } from "./delivery-table.ts";
import { inboxRows, type InboxRow } from "./inbox.ts";
import type { DeliveryQuery, DeliveryRecord } from "./records.ts";

export interface Listed {
	sql: SqlStorage;
	/** Deliveries being sent at this moment; what is stored of them is a step behind. */
	inFlight: ReadonlyMap<string, Delivery>;
}

export function listRecords(listed: Listed, query: DeliveryQuery): DeliveryRecord[] {
	const { status } = query;
	const tried = status === "in_flight" ? [] : triedRecords(listed, query);
	const flying = status === undefined || status === "in_flight" ? flyingRecords(listed, query) : [];
	const untried =
		(status === undefined || status === "pending") && query.reason === undefined
			? untriedRecords(listed, query)
			: [];
	const records = new Map<string, DeliveryRecord>();
	for (const record of [...flying, ...tried, ...untried]) {
		if (!records.has(record.id)) records.set(record.id, record);
	}
	return [...records.values()].sort((a, b) => b.position - a.position).slice(0, query.limit);
}

function triedRecords({ sql, inFlight }: Listed, query: DeliveryQuery): DeliveryRecord[] {
	// A few more, for those that are left out because they are under way.
	const rows = listDeliveries(sql, { ...query, limit: query.limit + inFlight.size });
	return rows.filter(({ id }) => !inFlight.has(id)).map((row) => toRecord(row, false));
}

function flyingRecords({ inFlight }: Listed, query: DeliveryQuery): DeliveryRecord[] {
	return [...inFlight.values()]
		.filter((delivery) => query.reason === undefined && isWanted(delivery, query))
		.map((delivery) => toRecord(delivery, true));
}

function untriedRecords(listed: Listed, query: DeliveryQuery): DeliveryRecord[] {
	const found: DeliveryRecord[] = [];
	for (const row of inboxRows(listed.sql, rangeOf(query).before)) {
		const records = recordsOf(row, listed);
		found.push(...records.filter((record) => isWanted(record, query)).reverse());
		if (found.length >= query.limit || row.seq < rangeOf(query).since) break;
	}
	return found;
}

function isWanted(delivery: { position: number; subscriptionId: string }, query: DeliveryQuery): boolean {
	const { since, before } = rangeOf(query);
	const { position, subscriptionId } = delivery;
	return (
		position >= since &&
		position < before &&
		(query.subscriptionId === undefined || query.subscriptionId === subscriptionId)
	);
}

/** An inbox row's deliveries, without those that have got a row of their own or are being sent. */
function recordsOf({ seq, entries }: InboxRow, { sql, inFlight }: Listed): DeliveryRecord[] {
	const tried = knownDeliveries(
		sql,
		entries.map(({ decision }) => decision.deliveryId),
	);
	return entries
		.map((entry, index) => ({ ...entry, position: seq + index }))
		.filter(({ decision: { deliveryId } }) => !tried.has(deliveryId) && !inFlight.has(deliveryId))
		.map(({ eventId, decision, position }) => ({
			position,
			id: decision.deliveryId,
			eventId,
			subscriptionId: decision.subscriptionId,
			subscriptionName: decision.subscriptionName,
			endpointId: decision.endpointId,
			endpointRef: decision.endpointRef,
			status: "pending",
			reason: null,
			detail: null,
			attempts: [],
			nextAttemptAt: timeOfPosition(position),
			createdAt: timeOfPosition(position),
			finishedAt: null,
			result: null,
			resultEventId: null,
		}));
}
