/** The copy of a source in KV as ingest uses it: read, judged by its age, and renewed. Never throws. */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { type Source, isVerifying } from "../store/records.ts";
import { cacheSource, readCachedSource, type SourceCopy, uncacheSource } from "../store/source-cache.ts";

/** How long a copy serves without D1: the longest that one outlives a change when it was written just after it. */
const FRESH_MS = 300_000;

/** A copy that cannot be read is as good as none: the truth is asked next. */
export async function readCopy(env: Env, ref: string): Promise<SourceCopy | null> {
	try {
		return await readCachedSource(env, ref);
	} catch (error) {
		log("source_cache.read_failed", { source: ref, error: String(error) });
		return null;
	}
}

/** Whether the copy serves as it is. Clocks differ, so it may come from the near future. `now` in ms. */
export function isFresh({ readAt }: SourceCopy, now: number): boolean {
	return readAt === null || Math.abs(now - readAt) < FRESH_MS;
}

/**
 * Makes the copy what D1 had at `readAt` (ms), where `former` was found in KV. That of a source that is gone is deleted,
 * so that nobody finds it while D1 fails.
 */
export async function renewCopy(
	env: Env,
	source: Source | null,
	former: SourceCopy | null,
	readAt: number,
): Promise<void> {
	try {
		// A secret that cannot be read cannot be copied either.
		if (source !== null && isVerifying(source)) await cacheSource(env, source, readAt);
		else if (source === null && former !== null) await uncacheSource(env, former.source);
	} catch (error) {
		// Without a new copy the next request asks D1 again, and that is all.
		log("source_cache.write_failed", { source_id: (source ?? former?.source)?.id, error: String(error) });
	}
}
