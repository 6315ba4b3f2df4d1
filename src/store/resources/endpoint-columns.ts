/**
 * The schemas of an endpoint's JSON columns. Unknown members are ignored, because a newer release may have stored them.
 */
import * as z from "zod";
import { readColumn } from "../columns.ts";
import { COMPLETION_MODES, type Completion, type EndpointAuth, type RetryPolicy } from "../records.ts";

export const endpointAuthSchema: z.ZodType<EndpointAuth> = z.discriminatedUnion("type", [
	z.object({ type: z.literal("none") }),
	z.object({ type: z.literal("bearer"), token: z.string(), scheme: z.string().optional() }),
	z.object({ type: z.literal("basic"), username: z.string(), password: z.string() }),
	z.object({ type: z.literal("header"), name: z.string(), value: z.string() }),
	z.object({ type: z.literal("headers"), headers: z.record(z.string(), z.string()) }),
	z.object({
		type: z.literal("aws_sigv4"),
		accessKeyId: z.string(),
		secretAccessKey: z.string(),
		sessionToken: z.string().optional(),
		region: z.string().optional(),
		service: z.string().optional(),
	}),
	z.object({
		type: z.literal("oauth2_client_credentials"),
		tokenUrl: z.string(),
		clientId: z.string(),
		clientSecret: z.string(),
		scope: z.string().optional(),
		audience: z.string().optional(),
		clientAuth: z.enum(["basic", "body"]).optional(),
	}),
]);

export const headersSchema = z.record(z.string(), z.string());

export const DEFAULT_COMPLETION: Completion = {
	mode: null,
	deadlineSeconds: 3_600,
	holdSlot: null,
	webhookSecret: null,
	callbackOrigin: null,
};

export const completionSchema: z.ZodType<Completion> = z.object({
	mode: z.enum(COMPLETION_MODES).nullable(),
	deadlineSeconds: z.number().positive(),
	holdSlot: z.boolean().nullable(),
	webhookSecret: z.string().nullable(),
	callbackOrigin: z.string().nullable(),
});

/** Steps and attempts follow the Svix schedule: eight attempts within 28 hours. */
export const DEFAULT_RETRY: RetryPolicy = {
	scheduleSeconds: [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000],
	busyMaxWaitSeconds: 3_600,
	coldStartSeconds: 0,
	statuses: [],
	busyStatuses: [],
};

const statuses = z.array(z.number()).readonly();

const retrySchema: z.ZodType<RetryPolicy> = z.object({
	scheduleSeconds: z.array(z.number().positive()).min(1).readonly().catch(DEFAULT_RETRY.scheduleSeconds),
	busyMaxWaitSeconds: z.number().min(0).catch(DEFAULT_RETRY.busyMaxWaitSeconds),
	coldStartSeconds: z.number().min(0).catch(DEFAULT_RETRY.coldStartSeconds),
	statuses: statuses.catch(DEFAULT_RETRY.statuses),
	busyStatuses: statuses.catch(DEFAULT_RETRY.busyStatuses),
});

/** Missing or unreadable members get their defaults: they only affect when to retry, not whether. */
export function retryFromColumn(column: string): RetryPolicy {
	return readColumn(retrySchema, column) ?? DEFAULT_RETRY;
}
