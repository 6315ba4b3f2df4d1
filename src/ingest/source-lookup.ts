/**
 * Finds the source that a URL names: in this isolate's memory, then in KV, then in D1. Publishers are answered
 * from memory nearly always; the price is that a change may take seconds to be seen everywhere. A copy in KV that is
 * not fresh any more serves while D1 fails. Names that nobody has are told from the list of all names.
 */
import type { Env } from "../env.ts";
import { BUILTIN_SOURCES, RESOURCE_NAME } from "../events/ids.ts";
import { log } from "../log.ts";
import type { Source } from "../store/records.ts";
import type { SourceCopy } from "../store/source-cache.ts";
import { findSource } from "../store/sources.ts";
import { isFresh, readCopy, renewCopy } from "./source-copy.ts";
import { forgetList, lookUpInList, refreshList } from "./source-list.ts";
import { within } from "./within.ts";

const KNOWN_MS = 10_000;
/** How long it is remembered that a listed name no longer exists. */
const UNKNOWN_MS = 2_000;
/** How long a request whose source has an older copy waits for D1: some publishers wait three seconds in all. */
const WAIT_MS = 1_000;
const MAX_REMEMBERED = 1_000;

interface Remembered {
	source: Source | null;
	until: number;
	/** Whether it is an old copy, because D1 failed. */
	isStale: boolean;
}

/** By id or name, as asked for. The oldest entry goes when it is full. */
const memory = new Map<string, Remembered>();
/** Counts the changes made in this isolate: what was read before one is not remembered after it. */
let changes = 0;

/** Builtin sources take no requests and have no row, so they need no lookup. */
const BUILTIN_REFS = new Set<string>([...Object.keys(BUILTIN_SOURCES), ...Object.values(BUILTIN_SOURCES)]);

/** null when there is none. `now` in ms. Throws only when D1 has to be asked, fails, and KV has no copy. */
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
	changes++;
	forgetList();
}

/** What D1 says; the copy where it says nothing. What comes too late for this request is for the next ones. */
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
		return await within(reading, WAIT_MS, "the source takes too long to read");
	} catch (error) {
		log("ingest.stale_source", { source: ref, read_at: copy.readAt, error: String(error) });
		return remember(ref, copy.source, now, true);
	}
}

/** `copy`: what KV has, if anything. It is written anew, or deleted: while D1 fails, nobody is to find what was deleted. */
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
	// Of the requests that have asked at the same time, one writes: KV takes one write a second.
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
