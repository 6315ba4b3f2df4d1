/**
 * API keys in this isolate's memory, so that publishing with one costs no query. All keys are read at once and trusted for
 * 30 seconds: a deleted one works no longer than that anywhere. One that is not among them is looked for again after two
 * seconds, which is how long a new one may take, and how often made-up ones can make D1 be asked.
 */
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { type ApiKey, noteKeyUse, readAllKeys } from "../../store/keys.ts";

const TRUSTED_MS = 30_000;
const UNKNOWN_MS = 2_000;
/** How exact `last_used_at` is: one row is written for each key in this time at the most. */
const USE_MS = 600_000;

interface Keyring {
	keys: ReadonlyMap<string, ApiKey>;
	/** When the reading began, ms since the epoch. */
	readAt: number;
	/** When somebody last began to read anew: made-up keys that come meanwhile are told by this ring. */
	askedAt: number;
}

const rings = new WeakMap<D1Database, Keyring>();
/** When a use was last told to D1, by id; no more entries than there were keys. */
const noted = new Map<string, number>();
const MAX_NOTED = 10_000;
/** Counts the changes made in this isolate: what was read before one is not remembered after it. */
let changes = 0;

/** By id; null when there is none. `now` in ms. Throws when D1 has to be asked and fails: nobody is let in on an old word. */
export async function lookUpKey(env: Env, id: string, now: number): Promise<ApiKey | null> {
	const ring = rings.get(env.DB);
	if (ring === undefined) return (await readRing(env, now)).get(id) ?? null;
	const known = ring.keys.get(id);
	const isTrusted = isWithin(TRUSTED_MS, now, ring.readAt);
	if (isTrusted && (known !== undefined || isWithin(UNKNOWN_MS, now, ring.askedAt))) return known ?? null;
	ring.askedAt = now;
	try {
		return (await readRing(env, now)).get(id) ?? null;
	} catch (error) {
		// Whoever comes next asks again, and is not told that the key is unknown.
		ring.askedAt = 0;
		throw error;
	}
}

/** A clock that went backwards must not keep an old word in force. */
function isWithin(ms: number, now: number, then: number): boolean {
	return Math.abs(now - then) < ms;
}

async function readRing(env: Env, now: number): Promise<Keyring["keys"]> {
	const seen = changes;
	const keys = new Map((await readAllKeys(env)).map((key) => [key.id, key]));
	const latest = rings.get(env.DB)?.readAt ?? 0;
	if (changes === seen && latest < now) rings.set(env.DB, { keys, readAt: now, askedAt: now });
	return keys;
}

/** Makes this isolate read the keys anew; call it after every change of one. */
export function forgetKeys(env: Env): void {
	rings.delete(env.DB);
	changes++;
}

/** Remembers that a key was used at `now` (ms). Never throws, and rarely writes. */
export async function noteUse(env: Env, { id, lastUsedAt }: ApiKey, now: number): Promise<void> {
	if (now - Math.max(lastUsedAt ?? 0, noted.get(id) ?? 0) < USE_MS) return;
	if (noted.size >= MAX_NOTED) noted.clear();
	noted.set(id, now);
	try {
		await noteKeyUse(env, id, now, USE_MS);
	} catch (error) {
		log("key.use_unwritten", { key_id: id, error: String(error) });
	}
}
