/** At which loads, and in which batches, everything is looked at. */

/** Events a second. */
export const LOADS = [1_000, 5_000, 10_000, 50_000] as const;
export const HIGHEST = 50_000;
/** Messages in a batch: such as form while routers are busy, and the most that wrangler.toml lets form. */
export const SMALL_BATCH = 10;
export const LARGE_BATCH = 100;
/** Attempts above one, for each delivery (assumed). */
export const EXTRA_ATTEMPTS = 0.05;
