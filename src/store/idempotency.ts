/**
 * Responses that are kept for a while in D1, sealed, by the key under which a client has sent a request, so that the same
 * request sent again gets the same response. The keys of one principal are no concern of another's.
 */
import * as z from "zod";
import { open, seal } from "../crypto/seal.ts";
import type { Env } from "../env.ts";
import { readColumn } from "./columns.ts";
import { withSchema } from "./schema.ts";

/** For how long a response is given again, ms. */
const KEPT_MS = 86_400_000;
/** After that a request without a response has been lost with its Worker, and may be made anew. */
const UNDER_WAY_MS = 60_000;
/** Rows that one sweep deletes. */
const SWEPT = 1_000;

const responseSchema = z.object({ status: z.number(), body: z.string(), etag: z.string().nullable() });
export type KeptResponse = z.output<typeof responseSchema>;

/** Who has sent the key, and the key. */
export interface KeyedRequest {
	principalId: string;
	key: string;
}

/**
 * claimed: the request is to be made now, under this claim. kept: it has been made; the response is null when no key that is
 * set opens it.
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

/** `fingerprint`: of all that the request is. `now` in ms. */
export async function claimKey(
	env: Env,
	{ principalId, key }: KeyedRequest,
	fingerprint: string,
	now: number,
): Promise<Claim> {
	const claim = crypto.randomUUID();
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
	if (row.fingerprint !== fingerprint) return { outcome: "reused" };
	if (row.response === null) return { outcome: "in_progress" };
	const opened = await open(env, row.response);
	return { outcome: "kept", response: opened === null ? null : readColumn(responseSchema, opened) };
}

/** Keeps the response to the request that has this claim. */
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

/** The request has failed, and may be made again under its key. */
export async function releaseKey(env: Env, { principalId, key }: KeyedRequest, claim: string): Promise<void> {
	await withSchema(env, (db) =>
		db
			.prepare("DELETE FROM idempotency WHERE principal_id = ? AND key = ? AND claim = ?")
			.bind(principalId, key, claim)
			.run(),
	);
}

/** Deletes what is older than a day, up to a thousand rows. `now` in ms. */
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
