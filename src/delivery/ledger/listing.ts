/**
 * Lists the deliveries of one dispatcher for people: tried, untried, under way and refused as one list, newest first. One
 * call looks at so many at most, since nothing is sent meanwhile.
 */
import { rangeOf, type Slice, timeOfPosition } from "../../events/position.ts";
import { toRecord } from "../record.ts";
import type { Delivery } from "../rules/delivery.ts";
import { knownDeliveries, listDeliveries } from "./table.ts";
import { inboxRows, type InboxRow } from "./inbox.ts";
import type { Refused } from "./refused.ts";
import type { DeliveryQuery, DeliveryRecord } from "../records.ts";

export interface Listed {
	sql: SqlStorage;
	refused: Refused;
	/** Deliveries being sent at this moment; what is stored of them is a step behind. */
	inFlight: ReadonlyMap<string, Delivery>;
}

/** Of the inbox, what one call looks at: rows and characters, some tens of milliseconds. */
const LOOK_INBOX_ROWS = 200;
const LOOK_INBOX_TEXT = 8_000_000;

export function listRecords(listed: Listed, query: DeliveryQuery): Slice<DeliveryRecord> {
	const { status } = query;
	const tried = triedRecords(listed, query);
	const flying = status === undefined || status === "in_flight" ? flyingRecords(listed, query) : [];
	const untried =
		(status === undefined || status === "pending") && query.reason === undefined
			? untriedRecords(listed, query)
			: NOTHING;
	const refused = listed.refused.list(query);
	// Below the last of a full page there may be more refused ones; of these, some may be shown as something else.
	const isFull = refused.items.length === query.limit;
	const refusedRest = isFull ? (refused.items.at(-1)?.position ?? null) : refused.rest;
	const rest = higher(higher(tried.rest, untried.rest), refusedRest);
	const refusedRecords = refused.items.map((delivery) => toRecord(delivery, false));
	const records = new Map<string, DeliveryRecord>();
	for (const record of [...flying, ...tried.items, ...untried.items, ...refusedRecords]) {
		if (record.position >= (rest ?? 0) && !records.has(record.id)) records.set(record.id, record);
	}
	const items = [...records.values()].sort((a, b) => b.position - a.position).slice(0, query.limit);
	return { items, rest: items.length < query.limit ? rest : null };
}

const NOTHING: Slice<DeliveryRecord> = { items: [], rest: null };

function higher(left: number | null, right: number | null): number | null {
	return left === null || right === null ? (left ?? right) : Math.max(left, right);
}

function triedRecords({ sql, inFlight }: Listed, query: DeliveryQuery): Slice<DeliveryRecord> {
	// A few more, for those that are left out because they are under way.
	const { items, rest } = listDeliveries(sql, { ...query, limit: query.limit + inFlight.size });
	return { items: items.filter(({ id }) => !inFlight.has(id)).map((row) => toRecord(row, false)), rest };
}

function flyingRecords({ inFlight }: Listed, query: DeliveryQuery): DeliveryRecord[] {
	return [...inFlight.values()]
		.filter((delivery) => query.reason === undefined && isWanted(delivery, query))
		.map((delivery) => toRecord(delivery, true));
}

function untriedRecords(listed: Listed, query: DeliveryQuery): Slice<DeliveryRecord> {
	const { since, before } = rangeOf(query);
	const items: DeliveryRecord[] = [];
	let looked = 0;
	let text = 0;
	for (const row of inboxRows(listed.sql, before)) {
		const records = recordsOf(row, listed);
		items.push(...records.filter((record) => isWanted(record, query)).reverse());
		if (items.length >= query.limit || row.seq < since) break;
		text += row.size;
		if (++looked === LOOK_INBOX_ROWS || text > LOOK_INBOX_TEXT) return { items, rest: row.seq };
	}
	return { items, rest: null };
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
			deadlineAt: null,
			blockedBy: null,
			blockedUntil: null,
			createdAt: timeOfPosition(position),
			finishedAt: null,
			result: null,
			resultOmitted: null,
			resultEventId: null,
		}));
}
