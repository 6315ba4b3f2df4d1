/**
 * The ids and names of all sources, compact in this isolate's memory: requests for names that do not exist cost one
 * read of D1 every two seconds, however many names they use. A name takes eight bytes, its hash.
 */
import type { Env } from "../env.ts";
import { readSourceRefs } from "../store/sources.ts";
import { within } from "./within.ts";

/** How long the list is trusted, and so for how long a source that was just made elsewhere can be unknown here. */
const FRESH_MS = 2_000;
/** How long no read is tried after one that failed. */
const RETRY_MS = 2_000;
/** The longest time that a request waits for a read, whether it began it or another request did. */
const WAIT_MS = 5_000;
/** With more sources there is no list: every name is looked up by itself. */
export const MAX_LISTED = 100_000;

interface List {
	/** The version of the routing table, which every change of a source increases. */
	version: number;
	/** Hashes, ascending; null when there are too many. */
	hashes: Float64Array | null;
	/** When reading it began, ms since the epoch. */
	readAt: number;
}

let list: List | null = null;
let reading: { startedAt: number; done: Promise<void> } | null = null;
let failure: { at: number; cause: unknown } | null = null;

/** null while there is no list. `isFresh`: whether the list can be trusted when it does not have the name. */
export function lookUpInList(ref: string, now: number): { listed: boolean; isFresh: boolean } | null {
	if (list === null) return null;
	const { hashes, readAt } = list;
	return { listed: hashes === null || includes(hashes, hashOf(ref)), isFresh: now - readAt < FRESH_MS };
}

/**
 * Reads what has changed. Requests that need it at the same time share one read. Each waits for a limited time,
 * because the request that began the read may be gone. Throws when the read fails, or has failed a moment ago.
 */
export async function refreshList(
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	now: number,
): Promise<void> {
	if (failure !== null && now - failure.at < RETRY_MS) throw failure.cause;
	if (reading === null || now - reading.startedAt > WAIT_MS) {
		const mine = { startedAt: now, done: Promise.resolve() };
		reading = mine;
		mine.done = read(env, now, () => reading === mine);
		// The read is finished even when the client of the request that began it disconnects.
		ctx.waitUntil(mine.done.catch(() => undefined));
	}
	await within(reading.done, WAIT_MS, "the list of sources takes too long to read");
}

/** Called after a change of a source, or when the list was wrong. A read that is under way is then ignored. */
export function forgetList(): void {
	// With too many sources there is no list that could be wrong, and reading it again would cost the most.
	if (list?.hashes !== null) list = null;
	reading = null;
	failure = null;
}

async function read(env: Env, now: number, counts: () => boolean): Promise<void> {
	try {
		const known = list;
		const changed = await readSourceRefs(env, known?.version ?? null, MAX_LISTED + 1);
		if (!counts()) return;
		if (changed !== null) list = { version: changed.version, hashes: hashesOf(changed.refs), readAt: now };
		else if (known !== null) list = { ...known, readAt: now };
		else throw new Error("the database has no version of the routing table");
		failure = null;
	} catch (cause) {
		if (counts()) failure = { at: now, cause };
		throw cause;
	} finally {
		if (counts()) reading = null;
	}
}

function hashesOf(refs: readonly (readonly string[])[]): Float64Array | null {
	return refs.length > MAX_LISTED ? null : Float64Array.from(refs.flat(), hashOf).sort();
}

/** Binary search. */
function includes(hashes: Float64Array, hash: number): boolean {
	let [low, high] = [0, hashes.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((hashes[middle] ?? 0) < hash) low = middle + 1;
		else high = middle;
	}
	return hashes[low] === hash;
}

/** Random in each isolate, so that nobody can construct names with the hashes of others. Set at the first use. */
let seed: number | null = null;

/**
 * A hash of 53 bits (cyrb53). With the 200,000 ids and names of 100,000 sources, an unknown name is taken for a known
 * one once in 45,000,000,000 times.
 */
function hashOf(text: string): number {
	seed ??= crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
	let [high, low] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ seed];
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		high = Math.imul(high ^ code, 2_654_435_761);
		low = Math.imul(low ^ code, 1_597_334_677);
	}
	high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
	low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
	return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}
