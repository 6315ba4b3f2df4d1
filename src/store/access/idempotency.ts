/**
 * Idempotency keys: responses are stored sealed in D1 for a day, by the key that the client sent, so that a repeated
 * request gets the same response. Keys are separate per principal. The content of a request is stored only as an HMAC,
 * because anyone who can read the database could guess a weak secret from a plain hash.
 */
import * as z from "zod";
import { isOwnSignature, signOwn } from "../../crypto/own-signature.ts";
import { open, seal } from "../../crypto/seal.ts";
import type { Env } from "../../env.ts";
import { readColumn } from "../columns.ts";
import { withSchema } from "../schema.ts";

const PURPOSE = "idempotency";
/** How long a response is kept, ms. */
const KEPT_MS = 86_400_000;
/** After this time, a request without a response counts as lost with its Worker and may be repeated. */
const UNDER_WAY_MS = 60_000;
/** The maximum number of rows that one sweep deletes. */
const SWEPT = 1_000;

const responseSchema = z.object({ status: z.number(), body: z.string(), etag: z.string().nullable() });
export type KeptResponse = z.output<typeof responseSchema>;

/** The key and the principal that sent it. */
export interface KeyedRequest {
	principalId: string;
	key: string;
}

/**
 * claimed: run the request now, under this claim. kept: the request has run; the response is null if no configured
 * encryption key opens it.
 */
export type Claim =
	| { outcome: "claimed"; claim: string }
	| { outcome: "kept"; response: KeptResponse | null }
	| { outcome: "in_progress" }
	| { outcome: "reused" };

interface Row {
	fingerprint: string;
	claim: string;
	response: string | null;
}

/** Claims a key. `digest`: a hash of the whole request. `now` in ms. Throws if no encryption key is set. */
export async function claimKey(
	env: Env,
	{ principalId, key }: KeyedRequest,
	digest: string,
	now: number,
): Promise<Claim> {
	const claim = crypto.randomUUID();
	const fingerprint = signOwn(env, PURPOSE, digest);
	if (fingerprint === null) throw new Error("neither ENCRYPTION_KEY nor ADMIN_TOKEN is set");
	const [, found] = await withSchema(env, (db) =>
		db.batch<Row>([
			db
				.prepare(
					`INSERT INTO idempotency (principal_id, key, fingerprint, claim, response, created_at)
					VALUES (?1, ?2, ?3, ?4, NULL, ?5)
					ON CONFLICT (principal_id, key) DO UPDATE
					SET fingerprint = ?3, claim = ?4, response = NULL, created_at = ?5
					WHERE created_at <= CASE WHEN response IS NULL THEN ?6 ELSE ?7 END`,
				)
				.bind(principalId, key, fingerprint, claim, now, now - UNDER_WAY_MS, now - KEPT_MS),
			db
				.prepare("SELECT fingerprint, claim, response FROM idempotency WHERE principal_id = ? AND key = ?")
				.bind(principalId, key),
		]),
	);
	const row = found?.results[0];
	if (row === undefined || row.claim === claim) return { outcome: "claimed", claim };
	if (!isOwnSignature(env, PURPOSE, digest, row.fingerprint)) return { outcome: "reused" };
	if (row.response === null) return { outcome: "in_progress" };
	const opened = await open(env, row.response);
	return { outcome: "kept", response: opened === null ? null : readColumn(responseSchema, opened) };
}

/** Stores the response to the request that holds this claim. */
export async function keepResponse(
	env: Env,
	{ principalId, key }: KeyedRequest,
	claim: string,
	response: KeptResponse,
): Promise<void> {
	const sealed = await seal(env, JSON.stringify(response));
	await withSchema(env, (db) =>
		db
			.prepare("UPDATE idempotency SET response = ? WHERE principal_id = ? AND key = ? AND claim = ?")
			.bind(sealed, principalId, key, claim)
			.run(),
	);
}

/** Releases the key after a failed request, so that it can be repeated. */
export async function releaseKey(env: Env, { principalId, key }: KeyedRequest, claim: string): Promise<void> {
	await withSchema(env, (db) =>
		db
			.prepare("DELETE FROM idempotency WHERE principal_id = ? AND key = ? AND claim = ?")
			.bind(principalId, key, claim)
			.run(),
	);
}

/** Deletes rows older than a day, up to a thousand. `now` in ms. */
export async function sweepKeys(env: Env, now: number): Promise<void> {
	await withSchema(env, (db) =>
		db
			.prepare(
				`DELETE FROM idempotency WHERE (principal_id, key) IN
					(SELECT principal_id, key FROM idempotency WHERE created_at <= ? LIMIT ${SWEPT})`,
			)
			.bind(now - KEPT_MS)
			.run(),
	);
}
