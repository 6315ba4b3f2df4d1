/** The columns of the delivery table: names, types, and the checks for reading a row. Pure. */
import * as z from "zod";
import type { EventData } from "../../../events/event.ts";
import type { Usage } from "../../../models/exchange.ts";
import { OUTCOMES } from "../../rules/attempt.ts";
import { DEAD_REASONS, type Attempt, type DeadReason, type ResultOmitted } from "../../records.ts";
import type { DeliveryState, ModelJob } from "../../rules/state.ts";

/**
 * The status column. A delivery that is `publishing` is stored as `waiting`, the word of release
 * 0.1, so that each of the two releases can read the rows of the other when a deploy is rolled
 * back. A delivery that is `waiting` is therefore stored as `accepted`.
 */
export type StoredStatus = Exclude<DeliveryState["phase"], "publishing"> | "accepted";

export function toStoredStatus(phase: DeliveryState["phase"]): StoredStatus {
	if (phase === "publishing") return "waiting";
	return phase === "waiting" ? "accepted" : phase;
}

/** A row as SQLite returns it. */
export type DeliveryRow = {
	seq: number;
	id: string;
	event_id: string;
	subscription_id: string;
	subscription_name: string;
	endpoint_ref: string;
	budget: number | null;
	/** Of the event; empty: it has none, null: an earlier release wrote the row. */
	subject: string | null;
	/** Of the event; also empty if it equals the event's own id. */
	correlation_id: string | null;
	status: StoredStatus;
	reason: DeadReason | null;
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
	/** JSON. */
	job: string | null;
};

/** The columns before `status` never change after the insert. */
export const COLUMNS = [
	"seq",
	"id",
	"event_id",
	"subscription_id",
	"subscription_name",
	"endpoint_ref",
	"budget",
	"subject",
	"correlation_id",
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
	"job",
] as const satisfies (keyof DeliveryRow)[];

const usage = z.object({
	inputTokens: z.number().nullable(),
	outputTokens: z.number().nullable(),
	seconds: z.number().nullable(),
}) satisfies z.ZodType<Usage>;

/**
 * Valid combinations of the state columns; `spent` and similar columns are numbers in every row.
 */
export const storedState = z.discriminatedUnion("status", [
	z.object({ status: z.literal("pending"), due_at: z.number() }),
	z.object({ status: z.literal("waiting"), due_at: z.number() }),
	z.object({ status: z.literal("accepted"), due_at: z.number(), job: z.string() }),
	z.object({ status: z.literal("succeeded"), finished_at: z.number() }),
	z.object({ status: z.literal("canceled"), finished_at: z.number() }),
	z.object({ status: z.literal("dead"), reason: z.enum(DEAD_REASONS), finished_at: z.number() }),
]);

export const storedJob: z.ZodType<ModelJob> = z.object({
	handle: z.string().nullable(),
	attempt: z.number().optional().catch(undefined),
	isPolled: z.boolean().optional().catch(undefined),
	polls: z.number(),
	deadlineAt: z.number(),
});

/**
 * Checks the columns that hold more than a number or free text; SQLite guarantees the types of the
 * others.
 */
export const storedRow = z.object({
	result_kind: z.enum(["json", "text", "binary"]).nullable(),
	attempts: z.array(
		z.object({
			number: z.number(),
			// Missing in rows of earlier releases; if a later release wrote another form, the value is
			// ignored.
			usage: usage.optional().catch(undefined),
			modelVersion: z.string().optional().catch(undefined),
			requestId: z.string().optional().catch(undefined),
			at: z.number(),
			durationMs: z.number(),
			statusCode: z.number().nullable(),
			outcome: z.enum(OUTCOMES),
			error: z.string().nullable(),
			excerpt: z.string().nullable(),
			retryAsked: z.boolean().optional().catch(undefined),
			job: z
				.object({
					at: z.number(),
					by: z.enum(["callback", "poll", "deadline"]),
					outcome: z.enum(OUTCOMES),
					error: z.string().nullable(),
				})
				.nullable()
				.optional(),
		}),
	) satisfies z.ZodType<Attempt[]>,
});
