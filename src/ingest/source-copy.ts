/** The KV copy of a source, as ingest uses it: reading, freshness and renewal. Never throws. */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { type Source, isVerifying } from "../store/records.ts";
import {
	cacheSource,
	readCachedSource,
	type SourceCopy,
	uncacheSource,
} from "../store/views/source-cache.ts";

/** How long a copy is used without asking D1. Also the longest that a stale copy can outlive a change. */
const FRESH_MS = 300_000;

/** Returns the copy, or null if it is missing or unreadable; D1 is asked next. */
export async function readCopy(env: Env, ref: string): Promise<SourceCopy | null> {
	try {
		return await readCachedSource(env, ref);
	} catch (error) {
		log("source_cache.read_failed", { source: ref, error: String(error) });
		return null;
	}
}

/** Returns whether the copy is fresh. Clocks differ, so its time may be slightly in the future. `now` in ms. */
export function isFresh({ readAt }: SourceCopy, now: number): boolean {
	return readAt === null || Math.abs(now - readAt) < FRESH_MS;
}

/**
 * Replaces the KV copy `former` with what D1 had at `readAt` (ms). Deletes the copy of a deleted source, so that it is
 * not found while D1 fails.
 */
export async function renewCopy(
	env: Env,
	source: Source | null,
	former: SourceCopy | null,
	readAt: number,
): Promise<void> {
	try {
		// A source with an unreadable secret cannot be copied.
		if (source !== null && isVerifying(source)) await cacheSource(env, source, readAt);
		else if (source === null && former !== null) await uncacheSource(env, former.source);
	} catch (error) {
		// Without a new copy, the next request simply asks D1 again.
		log("source_cache.write_failed", { source_id: (source ?? former?.source)?.id, error: String(error) });
	}
}
