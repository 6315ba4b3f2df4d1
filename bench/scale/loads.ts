/** The loads and batch sizes of the simulation. */

/** Events a second. */
export const LOADS = [1_000, 5_000, 10_000, 50_000] as const;
export const HIGHEST = 50_000;
/** Messages in a batch: a typical number while routers are busy, and the maximum in wrangler.toml. */
export const SMALL_BATCH = 10;
export const LARGE_BATCH = 100;
/** Additional attempts per delivery (assumed). */
export const EXTRA_ATTEMPTS = 0.05;
