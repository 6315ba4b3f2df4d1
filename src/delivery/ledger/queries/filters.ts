/**
 * The search filters of deliveries: as SQL for the delivery table, and as functions for deliveries
 * that have no row yet. The status code is read from the attempts; subject and correlation id have
 * columns, because the event is dropped when the delivery succeeds. Rows of earlier releases have
 * these columns empty: their event is read as long as they have it. Pure.
 */
import type { Attributes } from "../../../events/event.ts";
import { correlationIdOf } from "../../../events/lineage.ts";
import { rangeOf } from "../../../events/position.ts";
import type { Attempt, DeliveryFilters, DeliveryQuery } from "../../records.ts";
import { toStoredStatus } from "../table/columns.ts";

/**
 * Placeholder in the column of a text that is too large for it and is stored in
 * `large_texts`.
 */
export const ELSEWHERE = "\u0000elsewhere";

export interface Condition {
	sql: string;
	bound: (string | number)[];
}

/** Whether an event may have to be read. */
export function asksForEvent({ subject, correlationId }: DeliveryFilters): boolean {
	return subject !== undefined || correlationId !== undefined;
}

/**
 * Conditions for rows of `deliveries`, except the range of positions. They use no index.
 */
export function rowConditions(filters: DeliveryFilters): Condition[] {
	const { status, reason, subscriptionId, eventId, statusCode, subject, correlationId } = filters;
	const conditions: Condition[] = [];
	const equal = (column: string, value: string | undefined): void => {
		if (value !== undefined) conditions.push({ sql: `+${column} = ?`, bound: [value] });
	};
	equal("status", status === undefined || status === "in_flight" ? undefined : toStoredStatus(status));
	equal("reason", reason);
	equal("subscription_id", subscriptionId);
	equal("event_id", eventId);
	if (statusCode !== undefined) {
		const sql = "json_valid(attempts) AND json_extract(attempts, '$[#-1].statusCode') = ?";
		conditions.push({ sql: `(${sql})`, bound: [statusCode] });
	}
	if (subject !== undefined) conditions.push(ofEvent("subject", "subject = ?", "subject", [subject]));
	if (correlationId !== undefined) {
		const own = "(correlation_id = ? OR (correlation_id = '' AND event_id = ?))";
		conditions.push(ofEvent("correlation_id", own, "correlationid", [correlationId, correlationId]));
	}
	return conditions;
}

/** The first line of a segment (events/queue/segment.ts) stored in a column. */
const HEAD_OF = (column: string): string => `substr(${column}, 1, instr(${column}, char(10)) - 1)`;
const HEAD = `CASE event WHEN ? THEN (SELECT ${HEAD_OF("text")} FROM large_texts
	WHERE large_texts.seq = deliveries.seq AND name = 'event') ELSE ${HEAD_OF("event")} END`;

/** Uses the column if it is filled, otherwise the attribute of the event. */
function ofEvent(column: string, isWanted: string, attribute: string, wanted: string[]): Condition {
	const value = `CAST(json_extract(head, '$.events[0].attributes.${attribute}') AS TEXT)`;
	const orId = column === "correlation_id" ? `coalesce(${value}, event_id)` : value;
	const inEvent = `EXISTS (SELECT 1 FROM (SELECT ${HEAD} AS head) WHERE json_valid(head) AND ${orId} = ?)`;
	return {
		sql: `CASE WHEN ${column} IS NOT NULL THEN ${isWanted} ELSE ${inEvent} END`,
		bound: [...wanted, ELSEWHERE, wanted[0] ?? ""],
	};
}

/** Whether position, subscription and event match. */
export function isPlaceWanted(
	delivery: { position: number; subscriptionId: string; eventId: string },
	query: DeliveryFilters & Pick<DeliveryQuery, "before">,
): boolean {
	const { since, before } = rangeOf(query);
	const { position, subscriptionId, eventId } = delivery;
	return (
		position >= since &&
		position < before &&
		(query.subscriptionId === undefined || query.subscriptionId === subscriptionId) &&
		(query.eventId === undefined || query.eventId === eventId)
	);
}

export function isEventWanted(
	event: { id: string; attributes: Attributes },
	{ subject, correlationId }: DeliveryFilters,
): boolean {
	return (
		(subject === undefined || event.attributes.subject === subject) &&
		(correlationId === undefined || correlationIdOf(event) === correlationId)
	);
}

/** Whether the response to the last attempt has the wanted status. */
export function isStatusCodeWanted(
	{ attempts }: { attempts: readonly Attempt[] },
	{ statusCode }: DeliveryFilters,
): boolean {
	return statusCode === undefined || attempts.at(-1)?.statusCode === statusCode;
}
