/**
 * The ids and names of all sources as a compact list in this isolate's memory, so that requests for unknown names cost
 * only one D1 read every two seconds. A name takes eight bytes, its hash.
 */
import type { Env } from "../env.ts";
import { readSourceRefs } from "../store/resources/sources.ts";
import { within } from "./within.ts";

/** How long the list is trusted, and so how long a source just created elsewhere can be unknown here. */
const FRESH_MS = 2_000;
/** The delay after a failed read. */
const RETRY_MS = 2_000;
/** The maximum time that a request waits for a read, its own or another request's. */
const WAIT_MS = 5_000;
/** With more sources there is no list, and every name is looked up individually. */
export const MAX_LISTED = 100_000;

interface List {
	/** The version of the routing table, which every change of a source increases. */
	version: number;
	/** Hashes in ascending order. null: there are too many sources. */
	hashes: Float64Array | null;
	/** When the read began, ms since the epoch. */
	readAt: number;
}

let list: List | null = null;
let reading: { startedAt: number; done: Promise<void> } | null = null;
let failure: { at: number; cause: unknown } | null = null;

/** Returns null if there is no list. `isFresh`: whether a missing name can be trusted to be unknown. */
export function lookUpInList(ref: string, now: number): { listed: boolean; isFresh: boolean } | null {
	if (list === null) return null;
	const { hashes, readAt } = list;
	return { listed: hashes === null || includes(hashes, hashOf(ref)), isFresh: now - readAt < FRESH_MS };
}

/**
 * Refreshes the list. Concurrent requests share one read. Each waits for a limited time, because the request that
 * started the read may have been cancelled. Throws if the read fails or has just failed.
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
		// Completes the read even if the client that started it disconnects.
		ctx.waitUntil(mine.done.catch(() => undefined));
	}
	await within(reading.done, WAIT_MS, "timed out reading the list of sources");
}

/** Call after a change of a source, or if the list was wrong. The result of a read in progress is then ignored. */
export function forgetList(): void {
	// With too many sources there is no list to invalidate, and reading it again would be expensive.
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
		else throw new Error("routing_version is missing in the database");
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

/** Random per isolate, so that an attacker cannot construct hash collisions. Set on first use. */
let seed: number | null = null;

/**
 * A 53-bit hash (cyrb53). With the 200,000 ids and names of 100,000 sources, an unknown name matches a known one once
 * in 45,000,000,000 times.
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
