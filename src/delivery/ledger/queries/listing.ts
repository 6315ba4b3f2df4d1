/**
 * Lists the deliveries of one dispatcher for the API: tried, untried, in progress and refused as one list, newest
 * first. One call looks at a limited number, because nothing is sent while it runs.
 */
import { rangeOf, type Slice, timeOfPosition } from "../../../events/position.ts";
import { toRecord } from "../../record.ts";
import type { Delivery } from "../../rules/delivery.ts";
import { asksForEvent, isEventWanted, isPlaceWanted, isStatusCodeWanted } from "./filters.ts";
import { knownDeliveries, listDeliveries } from "../table/table.ts";
import { inboxHeads, inboxRows } from "../inbox/inbox.ts";
import type { InboxRow } from "../inbox/inbox-row.ts";
import type { Refused } from "../refused/refused.ts";
import type { DeliveryQuery, DeliveryRecord } from "../../records.ts";

export interface Listed {
	sql: SqlStorage;
	refused: Refused;
	/** Deliveries being sent now; their stored state is one step behind. */
	inFlight: ReadonlyMap<string, Delivery>;
}

/** Inbox rows and characters that one call looks at, some tens of milliseconds. */
const LOOK_INBOX_ROWS = 200;
/**
 * The limit of rows if their events are read as well, which are up to a megabyte
 * per row.
 */
const LOOK_INBOX_EVENTS = 20;
const LOOK_INBOX_TEXT = 8_000_000;

export function listRecords(listed: Listed, query: DeliveryQuery): Slice<DeliveryRecord> {
	const { status } = query;
	const tried = triedRecords(listed, query);
	const flying = status === undefined || status === "in_flight" ? flyingRecords(listed, query) : [];
	const untried =
		(status === undefined || status === "pending") &&
		query.reason === undefined &&
		query.statusCode === undefined
			? untriedRecords(listed, query)
			: NOTHING;
	const refused = listed.refused.list(query);
	// There may be more refused deliveries below the last of a full page; some of these may be shown
	// in another status.
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
	// A few more, to replace those that are left out because they are in progress.
	const { items, rest } = listDeliveries(sql, { ...query, limit: query.limit + inFlight.size });
	return { items: items.filter(({ id }) => !inFlight.has(id)).map((row) => toRecord(row, false)), rest };
}

function flyingRecords({ inFlight }: Listed, query: DeliveryQuery): DeliveryRecord[] {
	return [...inFlight.values()]
		.filter(
			(delivery) =>
				query.reason === undefined &&
				isPlaceWanted(delivery, query) &&
				isStatusCodeWanted(delivery, query) &&
				(!asksForEvent(query) || (delivery.event !== null && isEventWanted(delivery.event, query))),
		)
		.map((delivery) => toRecord(delivery, true));
}

function untriedRecords(listed: Listed, query: DeliveryQuery): Slice<DeliveryRecord> {
	const { since, before } = rangeOf(query);
	const lookRows = asksForEvent(query) ? LOOK_INBOX_EVENTS : LOOK_INBOX_ROWS;
	const items: DeliveryRecord[] = [];
	let looked = 0;
	let text = 0;
	for (const row of inboxRows(listed.sql, before)) {
		const records = recordsOf(row, listed).filter((record) => isPlaceWanted(record, query));
		const isWanted = records.length === 0 ? () => false : eventsOf(row, listed, query);
		items.push(...records.filter(({ eventId }) => isWanted(eventId)).reverse());
		if (items.length >= query.limit || row.seq < since) break;
		text += row.size;
		if (++looked === lookRows || text > LOOK_INBOX_TEXT) return { items, rest: row.seq };
	}
	return { items, rest: null };
}

/** Whether each event of the row matches, by event id. */
function eventsOf({ seq }: InboxRow, { sql }: Listed, query: DeliveryQuery): (eventId: string) => boolean {
	if (!asksForEvent(query)) return () => true;
	const wanted = new Set(
		inboxHeads(sql, seq)
			.filter((event) => isEventWanted(event, query))
			.map(({ id }) => id),
	);
	return (eventId) => wanted.has(eventId);
}

/** The deliveries of an inbox row, without those that have their own row or are being sent. */
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
