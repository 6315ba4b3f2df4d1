/** Converts a delivery to a row of the delivery table, and back. Pure. */
import type { Decision, EventData, SluiceEvent } from "../../../events/event.ts";
import { timeOfPosition } from "../../../events/position.ts";
import { ownCorrelationId } from "../../../events/lineage.ts";
import { decodeSegment, encodeSegment } from "../../../events/queue/segment.ts";
import { storedJob, storedRow, storedState, toStoredStatus, type DeliveryRow } from "./columns.ts";
import type { Delivery } from "../../rules/delivery.ts";
import type { Dead, DeliveryState } from "../../rules/state.ts";

/**
 * Rows that may be sent again keep their event; a delivery that has succeeded drops
 * it.
 */
export function toRow(delivery: Delivery): DeliveryRow {
	const { state, result } = delivery;
	const over = state.phase === "succeeded";
	return {
		seq: delivery.position,
		id: delivery.id,
		event_id: delivery.eventId,
		subscription_id: delivery.subscriptionId,
		subscription_name: delivery.subscriptionName,
		endpoint_ref: delivery.endpointRef,
		budget: delivery.budget,
		subject: delivery.event === null ? null : (delivery.event.attributes.subject ?? ""),
		correlation_id: delivery.event === null ? null : (ownCorrelationId(delivery.event) ?? ""),
		...columnsOf(state),
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

/**
 * The delivery in a row. If a newer release wrote the row in its own form, the delivery is dead
 * with reason `unreadable`; the row stays unchanged, so that the newer release can continue it.
 */
export function fromRow(row: DeliveryRow): Delivery {
	const parsed = storedRow.safeParse({ ...row, attempts: parseOrNull(row.attempts) });
	const state = stateOf(row);
	const [event, resultEvent] = [firstOf(row.event), firstOf(row.result_event)];
	if (!parsed.success || state === null || event === "unreadable" || resultEvent === "unreadable") {
		return unreadableAs(identity(row), row.finished_at ?? timeOfPosition(row.seq));
	}
	const { attempts, result_kind: kind } = parsed.data;
	return {
		...identity(row),
		state,
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

type StateColumns = Pick<
	DeliveryRow,
	"status" | "reason" | "detail" | "spent" | "busy_count" | "busy_since" | "due_at" | "finished_at" | "job"
>;

function columnsOf(state: DeliveryState): StateColumns {
	const none = { reason: null, detail: null, spent: 0, busy_count: 0, busy_since: null, job: null };
	const status = toStoredStatus(state.phase);
	switch (state.phase) {
		case "pending": {
			const { detail, spent, busy, dueAt } = state;
			const [busy_count, busy_since] = [busy?.count ?? 0, busy?.since ?? null];
			return { ...none, status, detail, spent, busy_count, busy_since, due_at: dueAt, finished_at: null };
		}
		case "waiting": {
			const { spent, dueAt, job } = state;
			return { ...none, status, spent, due_at: dueAt, finished_at: null, job: JSON.stringify(job) };
		}
		case "publishing":
			return { ...none, status, due_at: state.dueAt, finished_at: null };
		case "dead": {
			const { reason, detail, finishedAt } = state;
			return { ...none, status, reason, detail, due_at: null, finished_at: finishedAt };
		}
		case "succeeded":
		case "canceled":
			return { ...none, status, due_at: null, finished_at: state.finishedAt };
	}
}

/** null if the columns do not form a state that this release knows. */
function stateOf(row: DeliveryRow): DeliveryState | null {
	const { data: stored } = storedState.safeParse(row);
	switch (stored?.status) {
		case undefined:
			return null;
		case "pending": {
			const { spent, detail, busy_count: count, busy_since: since } = row;
			const busy = since === null ? null : { count, since };
			return { phase: "pending", dueAt: stored.due_at, spent, busy, detail };
		}
		case "waiting":
			return { phase: "publishing", dueAt: stored.due_at };
		case "accepted": {
			const { data: job } = storedJob.safeParse(parseOrNull(stored.job));
			return job === undefined ? null : { phase: "waiting", dueAt: stored.due_at, spent: row.spent, job };
		}
		case "dead":
			return { phase: "dead", reason: stored.reason, detail: row.detail, finishedAt: stored.finished_at };
		case "succeeded":
		case "canceled":
			return { phase: stored.status, finishedAt: stored.finished_at };
	}
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

function unreadable(finishedAt: number): Dead {
	const detail = "A newer release of Sluice stored this delivery. Deploy that release again, then retry.";
	return { phase: "dead", reason: "unreadable", detail, finishedAt };
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
