/**
 * Finds the source that a URL names: in this isolate's memory, then in KV, then in D1. Publishers are answered
 * from memory nearly always; the price is that a change may take seconds to be seen everywhere.
 */
import type { Env } from "../env.ts";
import { BUILTIN_SOURCES } from "../events/ids.ts";
import { log } from "../log.ts";
import type { Source } from "../store/records.ts";
import { cacheSource, readCachedSource } from "../store/source-cache.ts";
import { findSource } from "../store/sources.ts";

const KNOWN_MS = 10_000;
/** Short, because the publisher's first request may come just before its source is made. */
const UNKNOWN_MS = 2_000;
const MAX_REMEMBERED = 1_000;
/** No id or name is longer; KV refuses keys beyond 512 bytes. */
const MAX_REF_LENGTH = 128;

interface Remembered {
	source: Source | null;
	until: number;
}

/** By id or name, as asked for. The oldest entry goes when it is full. */
const memory = new Map<string, Remembered>();

/** Builtin sources take no requests and have no row, so they need no lookup. */
const BUILTIN_REFS = new Set<string>([...Object.keys(BUILTIN_SOURCES), ...Object.values(BUILTIN_SOURCES)]);

/** null when there is none. `now` in ms. Throws only when D1 has to be asked and fails. */
export async function lookUpSource(
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	ref: string,
	now: number,
): Promise<Source | null> {
	if (BUILTIN_REFS.has(ref) || ref.length > MAX_REF_LENGTH) return null;
	const remembered = memory.get(ref);
	if (remembered !== undefined && remembered.until > now) return remembered.source;
	const source = (await readCopy(env, ref)) ?? (await readTruth(env, ctx, ref));
	remember(ref, { source, until: now + (source === null ? UNKNOWN_MS : KNOWN_MS) });
	return source;
}

/** Makes this isolate read the source anew; call it after every change, for the old name too after a rename. */
export function forgetSource({ id, name }: Pick<Source, "id" | "name">): void {
	memory.delete(id);
	memory.delete(name);
}

/** A copy that cannot be read is as good as none: the truth is asked next. */
async function readCopy(env: Env, ref: string): Promise<Source | null> {
	try {
		return await readCachedSource(env, ref);
	} catch (error) {
		log("source_cache.read_failed", { source: ref, error: String(error) });
		return null;
	}
}

async function readTruth(
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	ref: string,
): Promise<Source | null> {
	const source = await findSource(env, ref);
	if (source === null) return null;
	// Without the copy the next request asks D1 again, and that is all.
	const caching = cacheSource(env, source).catch((error: unknown) => {
		log("source_cache.write_failed", { source: ref, error: String(error) });
	});
	ctx.waitUntil(caching);
	return source;
}

function remember(ref: string, entry: Remembered): void {
	memory.delete(ref);
	memory.set(ref, entry);
	for (const oldest of memory.keys()) {
		if (memory.size <= MAX_REMEMBERED) break;
		memory.delete(oldest);
	}
}
