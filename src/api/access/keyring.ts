/**
 * API keys in this isolate's memory, so that publishing with one costs no query. All keys are read
 * at once and used for 30 seconds: a deleted key works no longer than that anywhere. An unknown key
 * causes another read after two seconds, so a new key may take that long to work, and made-up keys
 * cause no more reads than that.
 */
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { type ApiKey, noteKeyUse, readAllKeys } from "../../store/access/keys.ts";

const TRUSTED_MS = 30_000;
const UNKNOWN_MS = 2_000;
/** Precision of `last_used_at`: at most one row is written for each key in this time. */
const USE_MS = 600_000;

interface Keyring {
	keys: ReadonlyMap<string, ApiKey>;
	/** When the read began, ms since the epoch. */
	readAt: number;
	/**
	 * When the last refresh began: made-up keys that arrive meanwhile are checked against this ring.
	 */
	askedAt: number;
}

const rings = new WeakMap<D1Database, Keyring>();
/**
 * When a use was last written to D1, by id; no more entries than there were keys.
 */
const noted = new Map<string, number>();
const MAX_NOTED = 10_000;
/** Counts the changes made in this isolate: data read before a change is not kept after it. */
let changes = 0;

/**
 * By id; null if there is none. `now` in ms. Throws if D1 is needed and fails: no key is accepted
 * on outdated data.
 */
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
		// The next request asks again and is not told that the key is unknown.
		ring.askedAt = 0;
		throw error;
	}
}

/** A clock that went backwards must not keep outdated data in use. */
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

/** Makes this isolate read the keys again; call it after every change to a key. */
export function forgetKeys(env: Env): void {
	rings.delete(env.DB);
	changes++;
}

/** Records that a key was used at `now` (ms). Never throws, and rarely writes. */
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
