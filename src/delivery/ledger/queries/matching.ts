/**
 * The deliveries that a bulk job selects, in slices, oldest first: untried deliveries of the inbox,
 * rows of the table, and refused deliveries. Each slice looks at a bounded part and returns how far
 * it has looked.
 */
import { rangeOf } from "../../../events/position.ts";
import type { DeliveryFilters, DeliveryStatus } from "../../records.ts";
import { toStoredStatus } from "../table/columns.ts";
import { asksForEvent, rowConditions } from "./filters.ts";

/** A range of positions: after `after`, up to and including `end`. */
export interface Stretch {
	after: number;
	end: number;
}

export interface Matching<T> {
	items: T[];
	/** How far the slice has looked; null: to the end. */
	upTo: number | null;
}

/**
 * Rows that one slice looks at, some tens of milliseconds; fewer if an event may have to be read
 * for each.
 */
const LOOK_ROWS = 5_000;
const LOOK_EVENTS = 1_000;

/** The range, narrowed to the times of the filters. */
export function narrowed({ after, end }: Stretch, filters: DeliveryFilters): Stretch {
	const { since, before } = rangeOf(filters);
	return { after: Math.max(after, since - 1), end: Math.min(end, before - 1) };
}

/**
 * Ids of rows with one of `statuses`, up to `limit`; the rest of the row is not read, because
 * events may be large.
 */
export function matchingRows(
	sql: SqlStorage,
	filters: DeliveryFilters,
	statuses: readonly Exclude<DeliveryStatus, "in_flight">[],
	stretch: Stretch,
	limit: number,
): Matching<{ seq: number; id: string }> {
	const { after, end } = narrowed(stretch, filters);
	if (statuses.length === 0 || after >= end) return { items: [], upTo: null };
	// Literals, because SQLite uses a partial index only if it can see the condition. Dead deliveries
	// are often few.
	const isDead = statuses.every((status) => status === "dead");
	const among = isDead ? "status = 'dead'" : "TRUE";
	const stored = statuses.map((status) => `'${toStoredStatus(status)}'`).join(", ");
	const beyond = sql.exec<{ seq: number }>(
		`SELECT seq FROM deliveries WHERE seq > ? AND seq <= ? AND ${among} ORDER BY seq LIMIT 1 OFFSET ?`,
		after,
		end,
		asksForEvent(filters) ? LOOK_EVENTS : LOOK_ROWS,
	);
	const { seq: ceiling } = beyond.toArray()[0] ?? { seq: null };
	const conditions = rowConditions(filters);
	const items = sql
		.exec<{ seq: number; id: string }>(
			`SELECT seq, id FROM deliveries WHERE seq > ? AND seq <= ? AND ${among} AND +status IN (${stored})
			 ${conditions.map(({ sql }) => `AND ${sql}`).join(" ")} ORDER BY seq LIMIT ?`,
			after,
			ceiling === null ? end : ceiling - 1,
			...conditions.flatMap(({ bound }) => bound),
			limit,
		)
		.toArray();
	const isFull = items.length === limit;
	return { items, upTo: isFull ? (items.at(-1)?.seq ?? null) : ceiling === null ? null : ceiling - 1 };
}
