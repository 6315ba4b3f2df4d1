/**
 * Handles a publisher's first, unsigned request that contains the secret for all later ones, like Notion's. The
 * response is 200 and no event is created; the operator reads the token and sets it as the source's secret. Only
 * sources whose auth has `verification_token` accept one.
 */
import type { Env } from "../env.ts";
import { readJson } from "../events/payload.ts";
import { type Refusal, refuseForNow } from "../http/refusal.ts";
import { log } from "../log.ts";
import { endVerification, keepVerificationToken } from "../store/resources/verification-token.ts";
import type { Source } from "../store/records.ts";

/** Larger than any such request. Longer bodies are not parsed. */
const MAX_REQUEST_BYTES = 2_048;
const TOKEN = /^[!-~]{8,512}$/;
const MAX_REMEMBERED = 1_000;
/** How long D1 is not asked again after it reported that no token is expected. */
const UNWANTED_MS = 10_000;

/**
 * By source: when its period of `UNWANTED_MS` ends, and whether it has verified a request. Both evict the oldest when
 * full.
 */
const unwanted = new Map<string, number>();
const verified = new Map<string, true>();

/** Returns the token, or null unless the body is an object with only a token. */
export function readVerificationToken(body: Uint8Array): string | null {
	if (body.byteLength > MAX_REQUEST_BYTES) return null;
	const read = readJson(body);
	if (!read.ok || typeof read.value !== "object" || read.value === null) return null;
	const [[name, token] = [], ...others] = Object.entries(read.value);
	const isOnly = name === "verification_token" && others.length === 0;
	return isOnly && typeof token === "string" && TOKEN.test(token) ? token : null;
}

/** The response to a first request. The sender is unverified, so the request has no other effect. */
export interface Greeting {
	ok: true;
	greeting: Response;
}

/**
 * Handles an unverified request. Returns null if it stays refused. Refuses with 503 while D1 fails. `now` in ms.
 */
export async function greet(
	env: Env,
	source: Source,
	body: Uint8Array,
	now: number,
): Promise<Greeting | Refusal | null> {
	if (!awaitsToken(source)) return null;
	const token = readVerificationToken(body);
	const key = keyOf(source);
	if (token === null || verified.has(key) || (unwanted.get(key) ?? 0) > now) return null;
	try {
		if (!(await keepVerificationToken(env, source.id, token, now))) {
			remember(unwanted, key, now + UNWANTED_MS);
			return null;
		}
	} catch (cause) {
		return unavailable(cause);
	}
	log("ingest.verification_token", { source: source.name });
	return { ok: true, greeting: new Response(null, { status: 200 }) };
}

/** Call after each verified request; writes once per source. Never throws. */
export async function noteVerified(env: Env, source: Source, now: number): Promise<void> {
	const key = keyOf(source);
	if (!awaitsToken(source) || verified.has(key)) return;
	try {
		await endVerification(env, source.id, now);
		remember(verified, key, true);
	} catch (error) {
		// The next verified request writes it.
		log("ingest.verification_open", { source: source.name, error: String(error) });
	}
}

function awaitsToken({ auth }: Source): boolean {
	return auth?.type === "hmac" && auth.verification_token === true;
}

/** Contains the revision, because a change of the source may allow a token again. */
function keyOf({ id, revision }: Source): string {
	return `${id}@${revision}`;
}

function remember<T>(memory: Map<string, T>, key: string, value: T): void {
	memory.delete(key);
	memory.set(key, value);
	for (const oldest of memory.keys()) {
		if (memory.size <= MAX_REMEMBERED) break;
		memory.delete(oldest);
	}
}

function unavailable(cause: unknown): Refusal {
	const message = "The token could not be stored. Send the request again.";
	return refuseForNow("source_unavailable", message, { cause });
}
