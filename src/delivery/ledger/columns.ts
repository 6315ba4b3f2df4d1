/** The columns of the delivery table: their names, their types, and what a row must look like to be read. Pure. */
import * as z from "zod";
import type { EventData } from "../../events/event.ts";
import type { Usage } from "../../models/exchange.ts";
import { OUTCOMES } from "../rules/attempt.ts";
import { DEAD_REASONS, type Attempt, type DeadReason, type ResultOmitted } from "../records.ts";
import type { DeliveryState, ModelJob } from "../rules/state.ts";

/**
 * The status column. A delivery that is `publishing` is stored as `waiting`, the word of release 0.1, so that each of the
 * two releases can read the rows of the other when a deploy is rolled back. One that is `waiting` is therefore stored as
 * `accepted`.
 */
export type StoredStatus = Exclude<DeliveryState["phase"], "publishing"> | "accepted";

export function toStoredStatus(phase: DeliveryState["phase"]): StoredStatus {
	if (phase === "publishing") return "waiting";
	return phase === "waiting" ? "accepted" : phase;
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
	"job",
] as const satisfies (keyof DeliveryRow)[];

const usage = z.object({
	inputTokens: z.number().nullable(),
	outputTokens: z.number().nullable(),
	seconds: z.number().nullable(),
}) satisfies z.ZodType<Usage>;

/** The columns of the state as they have to stand together; `spent` and the like are numbers in any row. */
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
	polls: z.number(),
	deadlineAt: z.number(),
});

/** Checks the columns that hold more than a number or a free text; SQLite guarantees the types of the others. */
export const storedRow = z.object({
	result_kind: z.enum(["json", "text", "binary"]).nullable(),
	attempts: z.array(
		z.object({
			number: z.number(),
			// Not in the rows of earlier releases; in another form from a later one, they are nothing to stop at.
			usage: usage.optional().catch(undefined),
			modelVersion: z.string().optional().catch(undefined),
			requestId: z.string().optional().catch(undefined),
			at: z.number(),
			durationMs: z.number(),
			statusCode: z.number().nullable(),
			outcome: z.enum(OUTCOMES),
			error: z.string().nullable(),
			excerpt: z.string().nullable(),
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
