/**
 * A delivery in memory, and its two other forms: the row of the delivery table and the record that the API reads.
 * Pure.
 */
import type { Refused } from "../../events/decision.ts";
import type { Decision, EventData, SluiceEvent } from "../../events/event.ts";
import { endpointIdOf } from "../../events/ids.ts";
import { timeOfPosition } from "../../events/position.ts";
import { decodeSegment, encodeSegment } from "../../events/queue/segment.ts";
import { fromStoredStatus, storedRow, toStoredStatus, type DeliveryRow } from "./delivery-columns.ts";
import type { Attempt, DeliveryRecord, DeliveryState, Result, ResultOmitted } from "../records.ts";

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
	refused: Refused | null;
	/** How many requests may come of it; null: the whole budget. */
	budget: number | null;
	attempts: Attempt[];
	/** null once it has succeeded. */
	event: SluiceEvent | null;
	/** The model's answer; kept from the moment it came, also while its result event waits for the queue. */
	result: Result | null;
	resultOmitted: ResultOmitted | null;
	resultEvent: SluiceEvent | null;
	resultEventId: string | null;
}

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
		budget: delivery.budget,
		status: toStoredStatus(state.status),
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
		blockedBy: null,
		blockedUntil: null,
		createdAt: timeOfPosition(delivery.position),
		finishedAt: state.finishedAt,
		result: delivery.result,
		resultOmitted: delivery.resultOmitted,
		resultEventId: delivery.resultEventId,
	};
}

/**
 * The delivery in a row. One that a newer release has written in a form of its own is dead `unreadable` to this one;
 * its row stays as it is, so that the newer one can go on with it.
 */
export function fromRow(row: DeliveryRow): Delivery {
	const parsed = storedRow.safeParse({ ...row, attempts: parseOrNull(row.attempts) });
	const [event, resultEvent] = [firstOf(row.event), firstOf(row.result_event)];
	if (!parsed.success || event === "unreadable" || resultEvent === "unreadable") {
		return unreadableAs(identity(row), row.finished_at ?? timeOfPosition(row.seq));
	}
	const { status, reason, attempts, result_kind: kind } = parsed.data;
	return {
		...identity(row),
		state: {
			status: fromStoredStatus(status),
			reason,
			detail: row.detail,
			spent: row.spent,
			busyCount: row.busy_count,
			busySince: row.busy_since,
			dueAt: row.due_at,
			finishedAt: row.finished_at,
		},
		refused: null,
		budget: row.budget,
		attempts,
		event,
		result:
			kind === null ? null : { data: dataOf(kind, row.result ?? ""), contentType: row.result_type ?? "" },
		resultOmitted: row.result_omitted,
		resultEvent,
		resultEventId: row.result_event_id,
	};
}

type Identity = Pick<
	Delivery,
	"position" | "id" | "eventId" | "subscriptionId" | "subscriptionName" | "endpointRef"
>;

function identity(row: DeliveryRow): Identity {
	return {
		position: row.seq,
		id: row.id,
		eventId: row.event_id,
		subscriptionId: row.subscription_id,
		subscriptionName: row.subscription_name,
		endpointRef: row.endpoint_ref,
	};
}

/** A delivery of the inbox whose event cannot be read. `now` in ms. */
export function unreadableDelivery(
	position: number,
	eventId: string,
	decision: Decision,
	now: number,
): Delivery {
	const { deliveryId: id, subscriptionId, subscriptionName, endpointRef } = decision;
	return unreadableAs({ position, id, eventId, subscriptionId, subscriptionName, endpointRef }, now);
}

function unreadableAs(delivery: Identity, finishedAt: number): Delivery {
	return {
		...delivery,
		state: unreadable(finishedAt),
		refused: null,
		budget: null,
		attempts: [],
		event: null,
		result: null,
		resultOmitted: null,
		resultEvent: null,
		resultEventId: null,
	};
}

function unreadable(finishedAt: number): DeliveryState {
	return {
		status: "dead",
		reason: "unreadable",
		detail: "A newer release of Sluice has stored this delivery. Deploy that release again, then retry.",
		spent: 0,
		busyCount: 0,
		busySince: null,
		dueAt: null,
		finishedAt,
	};
}

function parseOrNull(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch {
		return null;
	}
}

function firstOf(segment: string | null): SluiceEvent | null | "unreadable" {
	if (segment === null) return null;
	try {
		return decodeSegment(segment)[0] ?? null;
	} catch {
		return "unreadable";
	}
}

function textOf(data: EventData): string {
	return data.kind === "binary" ? data.base64 : data.text;
}

function dataOf(kind: EventData["kind"], text: string): EventData {
	return kind === "binary" ? { kind, base64: text } : { kind, text };
}
