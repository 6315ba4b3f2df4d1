/** A secret with its time, as verification and signing take it, and as it is stored. */
import * as z from "zod";

/** Secrets that are valid now; while rotating there are several, newest first. Times in ms since the epoch. */
export const liveSecretsSchema = z.array(
	z.object({
		value: z.string(),
		createdAt: z.number(),
		/** null: valid until it is rotated. */
		expiresAt: z.number().nullable(),
	}),
);

export type LiveSecret = z.output<typeof liveSecretsSchema>[number];
