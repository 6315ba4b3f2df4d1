/** The columns of the delivery table: their names, their types, and what a row must look like to be read. Pure. */
import * as z from "zod";
import type { EventData } from "../../events/event.ts";
import { OUTCOMES } from "../rules/attempt.ts";
import { DEAD_REASONS, type Attempt, type DeliveryState, type ResultOmitted } from "../records.ts";

/**
 * The status column. A delivery that is `publishing` is stored as `waiting`, the word of release 0.1, so that each of the
 * two releases can read the rows of the other when a deploy is rolled back.
 */
export type StoredStatus = Exclude<DeliveryState["status"], "publishing"> | "waiting";

export function toStoredStatus(status: DeliveryState["status"]): StoredStatus {
	return status === "publishing" ? "waiting" : status;
}

export function fromStoredStatus(status: StoredStatus): DeliveryState["status"] {
	return status === "waiting" ? "publishing" : status;
}

/** As SQLite holds it. */
export type DeliveryRow = {
	seq: number;
	id: string;
	event_id: string;
	subscription_id: string;
	subscription_name: string;
	endpoint_ref: string;
	budget: number | null;
	status: StoredStatus;
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
	"budget",
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

/** Checks the columns that hold more than a number or a free text; SQLite guarantees the types of the others. */
export const storedRow = z.object({
	status: z.enum(["pending", "waiting", "succeeded", "dead", "canceled"]),
	reason: z.enum(DEAD_REASONS).nullable(),
	result_kind: z.enum(["json", "text", "binary"]).nullable(),
	attempts: z.array(
		z.object({
			number: z.number(),
			at: z.number(),
			durationMs: z.number(),
			statusCode: z.number().nullable(),
			outcome: z.enum(OUTCOMES),
			error: z.string().nullable(),
			excerpt: z.string().nullable(),
		}),
	) satisfies z.ZodType<Attempt[]>,
});
