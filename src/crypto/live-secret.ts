/** A secret with its time, as verification and signing take it. */

/** A secret that is valid now; while rotating there are several, newest first. Times in ms since the epoch. */
export interface LiveSecret {
	value: string;
	createdAt: number;
	/** null: valid until it is rotated. */
	expiresAt: number | null;
}
