/**
 * A first request that is not signed and brings the secret for all that follow, as Notion's does. It is answered 200
 * and becomes no event; the operator reads the token and makes it the source's secret. Only sources whose auth says
 * `verification_token` take one.
 */
import type { Env } from "../env.ts";
import { readJson } from "../events/payload.ts";
import { type Refusal, refuseForNow } from "../http/refusal.ts";
import { log } from "../log.ts";
import { endVerification, keepVerificationToken } from "../store/verification-token.ts";
import type { Source } from "../store/records.ts";

/** More than such a request has; what is longer is not looked at. */
const MAX_REQUEST_BYTES = 2_048;
const TOKEN = /^[!-~]{8,512}$/;
const MAX_REMEMBERED = 1_000;
/** For how long D1 is not asked again after it has said that no token is wanted. */
const UNWANTED_MS = 10_000;

/** Ends of these times by source, and sources that have verified a request; the oldest goes when one is full. */
const unwanted = new Map<string, number>();
const verified = new Map<string, true>();

/** null when the body is not such a request: an object with a token and nothing else. */
export function readVerificationToken(body: Uint8Array): string | null {
	if (body.byteLength > MAX_REQUEST_BYTES) return null;
	const read = readJson(body);
	if (!read.ok || typeof read.value !== "object" || read.value === null) return null;
	const [[name, token] = [], ...others] = Object.entries(read.value);
	const isOnly = name === "verification_token" && others.length === 0;
	return isOnly && typeof token === "string" && TOKEN.test(token) ? token : null;
}

/** The response to a first request. Whoever sent it has proven nothing, so nothing else may follow from it. */
export interface Greeting {
	ok: true;
	greeting: Response;
}

/**
 * Takes a request that has not proven itself. null: it stays refused. Refuses with 503 while D1 fails. `now` in ms.
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

/** After each request that has proven itself; writes once for a source. Never throws. */
export async function noteVerified(env: Env, source: Source, now: number): Promise<void> {
	const key = keyOf(source);
	if (!awaitsToken(source) || verified.has(key)) return;
	try {
		await endVerification(env, source.id, now);
		remember(verified, key, true);
	} catch (error) {
		// The next request that is verified writes it.
		log("ingest.verification_open", { source: source.name, error: String(error) });
	}
}

function awaitsToken({ auth }: Source): boolean {
	return auth?.type === "hmac" && auth.verification_token === true;
}

/** A change of the source may have opened it again. */
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
	const message = "The token cannot be kept now. Send the request again.";
	return refuseForNow("source_unavailable", message, { cause });
}
