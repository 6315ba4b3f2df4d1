/** A secret with its validity period, as it is stored and as verification and signing use it. */
import * as z from "zod";

/** The valid secrets, newest first; several during a rotation. Times in ms since the epoch. */
export const liveSecretsSchema = z.array(
	z.object({
		value: z.string(),
		createdAt: z.number(),
		/** null: valid until it is rotated. */
		expiresAt: z.number().nullable(),
	}),
);

export type LiveSecret = z.output<typeof liveSecretsSchema>[number];
