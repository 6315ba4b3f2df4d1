/**
 * Looks up the source of a URL: in this isolate's memory, then in KV, then in D1. Nearly all requests are served from
 * memory, so a change may take seconds to be visible everywhere. A stale KV copy is used while D1 fails. The list of
 * all names identifies unknown names.
 */
import type { Env } from "../env.ts";
import { BUILTIN_SOURCES, RESOURCE_NAME } from "../events/ids.ts";
import { log } from "../log.ts";
import type { Source } from "../store/records.ts";
import type { SourceCopy } from "../store/views/source-cache.ts";
import { findSource } from "../store/resources/sources.ts";
import { isFresh, readCopy, renewCopy } from "./source-copy.ts";
import { forgetList, lookUpInList, refreshList } from "./source-list.ts";
import { within } from "./within.ts";

const KNOWN_MS = 10_000;
/** How long a listed name that no longer exists is remembered. */
const UNKNOWN_MS = 2_000;
/** How long a request with a stale copy waits for D1: some publishers time out after three seconds. */
const WAIT_MS = 1_000;
const MAX_REMEMBERED = 1_000;

interface Remembered {
	source: Source | null;
	until: number;
	/** Whether it is a stale copy, used because D1 failed. */
	isStale: boolean;
}

/** By id or name, as requested. When full, the oldest entry is evicted. */
const memory = new Map<string, Remembered>();
/** Counts the changes made in this isolate, so that a result read before a change is not cached after it. */
let changes = 0;

/** Built-in sources accept no requests and have no row, so they need no lookup. */
const BUILTIN_REFS = new Set<string>([...Object.keys(BUILTIN_SOURCES), ...Object.values(BUILTIN_SOURCES)]);

/** Returns whether an id or a name is that of a built-in source. */
export function isBuiltIn(ref: string): boolean {
	return BUILTIN_REFS.has(ref);
}

/** Returns the source, or null if it does not exist. `now` in ms. Throws only if D1 fails and KV has no copy. */
export async function lookUpSource(
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	ref: string,
	now: number,
): Promise<Source | null> {
	const remembered = memory.get(ref);
	if (remembered !== undefined && remembered.until > now) return remembered.source;
	if (isBuiltIn(ref) || !RESOURCE_NAME.test(ref)) return null;
	let copyAsked = false;
	let listError: unknown;
	for (;;) {
		const list = lookUpInList(ref, now);
		switch (nextStep(list, { copyAsked, listFailed: listError !== undefined })) {
			case "copy": {
				const copy = await readCopy(env, ref);
				if (copy !== null && isFresh(copy, now)) return remember(ref, copy.source, now);
				if (copy !== null) return confirm(env, ctx, ref, copy, now);
				copyAsked = true;
				break;
			}
			case "list":
				await refreshList(env, ctx, now).catch((error: unknown) => {
					listError = error;
				});
				break;
			case "row":
				return readTruth(env, ctx, ref, now);
			case "unknown":
				return null;
			case "unavailable":
				throw listError;
		}
	}
}

export type Step = "copy" | "list" | "row" | "unknown" | "unavailable";

/**
 * Decides the next step for a name that is not in memory. `list` is the list's result, or null if there is no list. An
 * existing source is found in KV without D1, independent of the list. Only a fresh list proves that a source does not
 * exist, so this cannot be known while D1 fails.
 */
export function nextStep(
	list: { listed: boolean; isFresh: boolean } | null,
	{ copyAsked, listFailed }: { copyAsked: boolean; listFailed: boolean },
): Step {
	if (list !== null && !list.listed && list.isFresh) return "unknown";
	if (list?.listed === true) return copyAsked ? "row" : "copy";
	if (listFailed) return copyAsked ? "unavailable" : "copy";
	return list === null && !copyAsked ? "copy" : "list";
}

/** Removes the source from this isolate's cache. Call after every change; after a rename also for the old name. */
export function forgetSource({ id, name }: Pick<Source, "id" | "name">): void {
	memory.delete(id);
	memory.delete(name);
	changes++;
	forgetList();
}

/** Returns the source from D1, or the copy if D1 fails or is too slow. A late result is cached for later requests. */
async function confirm(
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	ref: string,
	copy: SourceCopy,
	now: number,
): Promise<Source | null> {
	const reading = readTruth(env, ctx, ref, now, copy);
	ctx.waitUntil(reading.catch(() => undefined));
	try {
		return await within(reading, WAIT_MS, "timed out reading the source");
	} catch (error) {
		log("ingest.stale_source", { source: ref, read_at: copy.readAt, error: String(error) });
		return remember(ref, copy.source, now, true);
	}
}

/** Reads D1 and replaces or deletes the KV copy, so that a deleted source is not found while D1 fails. */
async function readTruth(
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	ref: string,
	now: number,
	copy: SourceCopy | null = null,
): Promise<Source | null> {
	const seen = changes;
	const source = await findSource(env, ref);
	if (changes !== seen) return source;
	if (source === null) forgetList();
	const known = memory.get(ref);
	// Only one of several concurrent requests writes, because KV allows one write per second and key.
	const isWritten = known !== undefined && known.until > now && !known.isStale;
	if (!isWritten) ctx.waitUntil(renewCopy(env, source, copy, now));
	return remember(ref, source, now);
}

function remember(ref: string, source: Source | null, now: number, isStale = false): Source | null {
	memory.delete(ref);
	memory.set(ref, { source, until: now + (source === null ? UNKNOWN_MS : KNOWN_MS), isStale });
	for (const oldest of memory.keys()) {
		if (memory.size <= MAX_REMEMBERED) break;
		memory.delete(oldest);
	}
	return source;
}
