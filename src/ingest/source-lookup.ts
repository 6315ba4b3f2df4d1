/**
 * Finds the source that a URL names: in this isolate's memory, then in KV, then in D1. Publishers are answered
 * from memory nearly always; the price is that a change may take seconds to be seen everywhere. Names that nobody
 * has are told from the list of all names.
 */
import type { Env } from "../env.ts";
import { BUILTIN_SOURCES, RESOURCE_NAME } from "../events/ids.ts";
import { log } from "../log.ts";
import { type Source, isVerifying } from "../store/records.ts";
import { cacheSource, readCachedSource } from "../store/source-cache.ts";
import { findSource } from "../store/sources.ts";
import { forgetList, lookUpInList, refreshList } from "./source-list.ts";

const KNOWN_MS = 10_000;
/** How long it is remembered that a listed name no longer exists. */
const UNKNOWN_MS = 2_000;
const MAX_REMEMBERED = 1_000;

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
	const remembered = memory.get(ref);
	if (remembered !== undefined && remembered.until > now) return remembered.source;
	if (BUILTIN_REFS.has(ref) || !RESOURCE_NAME.test(ref)) return null;
	let copyAsked = false;
	let listError: unknown;
	for (;;) {
		const list = lookUpInList(ref, now);
		switch (nextStep(list, { copyAsked, listFailed: listError !== undefined })) {
			case "copy": {
				const copy = await readCopy(env, ref);
				if (copy !== null) return remember(ref, copy, now);
				copyAsked = true;
				break;
			}
			case "list":
				await refreshList(env, ctx, now).catch((error: unknown) => {
					listError = error;
				});
				break;
			case "row": {
				const source = await readTruth(env, ctx, ref);
				if (source === null) forgetList();
				return remember(ref, source, now);
			}
			case "unknown":
				return null;
			case "unavailable":
				throw listError;
		}
	}
}

export type Step = "copy" | "list" | "row" | "unknown" | "unavailable";

/**
 * What to ask next about a name that is not in memory. `list` is what the list says of it, null while there is none.
 * A source that exists is found in KV without D1, whatever state the list is in; only a fresh list tells that there is
 * none, and while D1 fails nothing does.
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

/** Makes this isolate read the source anew; call it after every change, for the old name too after a rename. */
export function forgetSource({ id, name }: Pick<Source, "id" | "name">): void {
	memory.delete(id);
	memory.delete(name);
	forgetList();
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
	// A secret that cannot be read cannot be copied either.
	if (source === null || !isVerifying(source)) return source;
	// Without the copy the next request asks D1 again, and that is all.
	const caching = cacheSource(env, source).catch((error: unknown) => {
		log("source_cache.write_failed", { source: ref, error: String(error) });
	});
	ctx.waitUntil(caching);
	return source;
}

function remember(ref: string, source: Source | null, now: number): Source | null {
	memory.delete(ref);
	memory.set(ref, { source, until: now + (source === null ? UNKNOWN_MS : KNOWN_MS) });
	for (const oldest of memory.keys()) {
		if (memory.size <= MAX_REMEMBERED) break;
		memory.delete(oldest);
	}
	return source;
}
