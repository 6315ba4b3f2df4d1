/**
 * A delivery in memory, and its two other forms: the row of the delivery table and the record that the API reads.
 * Pure.
 */
import type { EventData, SluiceEvent } from "../events/event.ts";
import { endpointIdOf } from "../events/ids.ts";
import { timeOfPosition } from "../events/position.ts";
import { decodeSegment, encodeSegment } from "../events/segment.ts";
import type { Attempt, DeliveryRecord, DeliveryState, Result, ResultOmitted } from "./records.ts";

/** A delivery with all that is needed to go on with it. */
export interface Delivery {
	position: number;
	id: string;
	eventId: string;
	subscriptionId: string;
	subscriptionName: string;
	endpointRef: string;
	state: DeliveryState;
	/** Routing decided that it must not be sent; asked for again by hand, it may. */
	refused: "loop" | null;
	attempts: Attempt[];
	/** null once it has succeeded. */
	event: SluiceEvent | null;
	/** The model's answer; kept from the moment it came, also while its result event waits for the queue. */
	result: Result | null;
	resultOmitted: ResultOmitted | null;
	resultEvent: SluiceEvent | null;
	resultEventId: string | null;
}

/** As SQLite holds it. */
export type DeliveryRow = {
	seq: number;
	id: string;
	event_id: string;
	subscription_id: string;
	subscription_name: string;
	endpoint_ref: string;
	status: DeliveryState["status"];
	reason: DeliveryState["reason"];
	detail: string | null;
	spent: number;
	busy_count: number;
	busy_since: number | null;
	due_at: number | null;
	finished_at: number | null;
	attempts: string;
	event: string | null;
	result_kind: EventData["kind"] | null;
	result_type: string | null;
	result: string | null;
	result_event: string | null;
	result_event_id: string | null;
	result_omitted: ResultOmitted | null;
};

/** In the order of the table. */
export const COLUMNS = [
	"seq",
	"id",
	"event_id",
	"subscription_id",
	"subscription_name",
	"endpoint_ref",
	"status",
	"reason",
	"detail",
	"spent",
	"busy_count",
	"busy_since",
	"due_at",
	"finished_at",
	"attempts",
	"event",
	"result_kind",
	"result_type",
	"result",
	"result_event",
	"result_event_id",
	"result_omitted",
] as const satisfies (keyof DeliveryRow)[];

/** Rows that may be sent again keep their event; one that has succeeded lets it go. */
export function toRow(delivery: Delivery): DeliveryRow {
	const { state, result } = delivery;
	const over = state.status === "succeeded";
	return {
		seq: delivery.position,
		id: delivery.id,
		event_id: delivery.eventId,
		subscription_id: delivery.subscriptionId,
		subscription_name: delivery.subscriptionName,
		endpoint_ref: delivery.endpointRef,
		status: state.status,
		reason: state.reason,
		detail: state.detail,
		spent: state.spent,
		busy_count: state.busyCount,
		busy_since: state.busySince,
		due_at: state.dueAt,
		finished_at: state.finishedAt,
		attempts: JSON.stringify(delivery.attempts),
		event: over || delivery.event === null ? null : encodeSegment([delivery.event]),
		result_kind: result?.data.kind ?? null,
		result_type: result?.contentType ?? null,
		result: result === null ? null : textOf(result.data),
		result_event: over || delivery.resultEvent === null ? null : encodeSegment([delivery.resultEvent]),
		result_event_id: delivery.resultEventId,
		result_omitted: delivery.resultOmitted,
	};
}

export function toRecord(delivery: Delivery, inFlight: boolean): DeliveryRecord {
	const { state } = delivery;
	return {
		position: delivery.position,
		id: delivery.id,
		eventId: delivery.eventId,
		subscriptionId: delivery.subscriptionId,
		subscriptionName: delivery.subscriptionName,
		endpointId: endpointIdOf(delivery.id) ?? "",
		endpointRef: delivery.endpointRef,
		status: inFlight ? "in_flight" : state.status,
		reason: state.reason,
		detail: state.detail,
		attempts: delivery.attempts,
		nextAttemptAt: inFlight ? null : state.dueAt,
		createdAt: timeOfPosition(delivery.position),
		finishedAt: state.finishedAt,
		result: delivery.result,
		resultOmitted: delivery.resultOmitted,
		resultEventId: delivery.resultEventId,
	};
}

export function fromRow(row: DeliveryRow): Delivery {
	return {
		position: row.seq,
		id: row.id,
		eventId: row.event_id,
		subscriptionId: row.subscription_id,
		subscriptionName: row.subscription_name,
		endpointRef: row.endpoint_ref,
		state: {
			status: row.status,
			reason: row.reason,
			detail: row.detail,
			spent: row.spent,
			busyCount: row.busy_count,
			busySince: row.busy_since,
			dueAt: row.due_at,
			finishedAt: row.finished_at,
		},
		refused: null,
		// Written by putDelivery alone, so the shape is known.
		attempts: JSON.parse(row.attempts) as Attempt[],
		event: firstOf(row.event),
		result:
			row.result_kind === null
				? null
				: { data: dataOf(row.result_kind, row.result ?? ""), contentType: row.result_type ?? "" },
		resultOmitted: row.result_omitted,
		resultEvent: firstOf(row.result_event),
		resultEventId: row.result_event_id,
	};
}

function firstOf(segment: string | null): SluiceEvent | null {
	return segment === null ? null : (decodeSegment(segment)[0] ?? null);
}

function textOf(data: EventData): string {
	return data.kind === "binary" ? data.base64 : data.text;
}

function dataOf(kind: EventData["kind"], text: string): EventData {
	return kind === "binary" ? { kind, base64: text } : { kind, text };
}
