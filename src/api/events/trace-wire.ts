/**
 * A trace on the wire, with values computed from the whole tree: the origin of its chain, and how
 * long it took. Pure.
 */
import { logIdOf } from "../../events/ids.ts";
import { hopsOf } from "../../events/lineage.ts";
import { formatTime } from "../fields/times.ts";
import type { DeliveryNode, EventNode, KnownEvent } from "./trace.ts";

type Wire = Record<string, unknown>;
type Names = ReadonlyMap<string, string>;

/** `names` of sources by id. */
export function traceToWire(root: EventNode, names: Names): Wire {
	const { event } = root;
	const all = eventsOf(root);
	const deliveries = all.flatMap((node) => node.deliveries);
	const receivedAt = typeof event === "string" ? null : event.receivedAt;
	const finishedAt = lastOf(all, receivedAt);
	return {
		event_id: root.id,
		...(typeof event === "string" ? { root_event_id: null, cause_event_id: null } : originOf(event)),
		event_count: all.length,
		delivery_count: deliveries.length,
		truncated: all.some(({ omitted }) => omitted > 0) || deliveries.some(({ isCut }) => isCut),
		received_at: formatTime(receivedAt),
		finished_at: formatTime(finishedAt),
		duration_ms: between(receivedAt, finishedAt),
		// Otherwise the event's own trace would be this one.
		event: eventToWire(root, names, `/v1/deliveries?event=${root.id}`),
	};
}

/** Every event of the tree, including the first. */
export function eventsOf(root: EventNode): EventNode[] {
	const found = [root];
	for (const { deliveries } of found)
		found.push(...deliveries.flatMap(({ resultEvent }) => resultEvent ?? []));
	return found;
}

/**
 * The publisher's event at the beginning of the chain, and the event whose delivery had this one as
 * its result. A publisher may use a correlation id of its own, which is not the id of an event
 * here.
 */
function originOf({ id, attributes }: KnownEvent): {
	root_event_id: string | null;
	cause_event_id: string | null;
} {
	const hops = hopsOf(attributes);
	if (hops === 0) return { root_event_id: id, cause_event_id: null };
	const cause = eventIdIn(attributes["causationid"]);
	return {
		root_event_id: hops === 1 ? cause : eventIdIn(attributes["correlationid"]),
		cause_event_id: cause,
	};
}

function eventIdIn(value: unknown): string | null {
	return typeof value === "string" && logIdOf(value) !== null ? value : null;
}

/**
 * When the last delivery ended; null while one is owed, or if it is unknown whether all have ended.
 */
function lastOf(events: readonly EventNode[], receivedAt: number | null): number | null {
	let last = receivedAt;
	for (const { event, deliveries, omitted } of events) {
		if (typeof event === "string" || omitted > 0) return null;
		for (const { delivery, isCut } of deliveries) {
			if (delivery === "withheld") continue;
			if (typeof delivery === "string" || delivery.finishedAt === null || isCut) return null;
			last = Math.max(last ?? 0, delivery.finishedAt);
		}
	}
	return last;
}

/** `rest`: where to find the deliveries that did not fit into the trace. */
function eventToWire({ id, event, deliveries, omitted }: EventNode, names: Names, rest: string): Wire {
	const known = typeof event === "string" ? null : event;
	return {
		id,
		error: typeof event === "string" ? event : null,
		source: (known && names.get(known.sourceId)) ?? null,
		source_id: known && known.sourceId,
		type: known && known.attributes.type,
		subject: known?.attributes.subject ?? null,
		received_at: known && formatTime(known.receivedAt),
		deliveries: deliveries.map((delivery) => deliveryToWire(delivery, names)),
		continued_at: omitted > 0 ? rest : null,
	};
}

function deliveryToWire({ decision, delivery, resultEvent, isCut }: DeliveryNode, names: Names): Wire {
	const known = typeof delivery === "string" ? null : delivery;
	const resultEventId = known && known.resultEventId;
	const rest = `/v1/events/${resultEventId}/trace`;
	return {
		id: decision.deliveryId,
		error: typeof delivery === "string" ? delivery : null,
		subscription_id: decision.subscriptionId,
		subscription: decision.subscriptionName,
		endpoint_id: decision.endpointId,
		endpoint: decision.endpointRef,
		status: known && known.status,
		reason: known && known.reason,
		detail: known && known.detail,
		attempt_count: known && known.attemptCount,
		blocked_by: known && known.blockedBy,
		blocked_until: known && formatTime(known.blockedUntil),
		next_attempt_at: known && formatTime(known.nextAttemptAt),
		// A dispatcher of the previous release does not send this field.
		deadline_at: known && formatTime(known.deadlineAt ?? null),
		created_at: known && formatTime(known.createdAt),
		finished_at: known && formatTime(known.finishedAt),
		wait_ms: known && between(known.createdAt, known.triedAt),
		duration_ms: known && between(known.createdAt, known.finishedAt),
		result_event_id: resultEventId,
		result_event: resultEvent && eventToWire(resultEvent, names, rest),
		continued_at: isCut ? rest : null,
	};
}

/** ms, never less than 0: the two times may come from two clocks. */
function between(start: number | null, end: number | null): number | null {
	return start === null || end === null ? null : Math.max(0, end - start);
}
