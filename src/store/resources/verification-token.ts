/**
 * The token of a publisher's first, unsigned request, which the operator can read once. It is stored in the source's
 * row and not in its copies. Anyone can send one: the first is kept until it is read or an hour has passed, and no
 * token is accepted after the source has verified a request.
 */
import type { Env } from "../../env.ts";
import { open, seal } from "../../crypto/seal.ts";
import { withSchema } from "../schema.ts";

const KEPT_MS = 3_600_000;

/** Stores a token. Returns false and writes nothing if none is expected. `now` in ms. */
export async function keepVerificationToken(
	env: Env,
	sourceId: string,
	token: string,
	now: number,
): Promise<boolean> {
	const sealed = await seal(env, token);
	// The source may have been changed since it was looked up.
	const { results } = await withSchema(env, (db) =>
		db
			.prepare(
				`UPDATE sources SET verification_token = ?2, verification_token_until = ?3
				WHERE id = ?1 AND verified_at IS NULL AND auth ->> '$.verification_token' = 1
				AND (verification_token IS NULL OR verification_token_until <= ?4) RETURNING id`,
			)
			.bind(sourceId, sealed, now + KEPT_MS, now)
			.all(),
	);
	return results.length > 0;
}

/** Returns and deletes the token, or null if there is none or no configured key decrypts it. `now` in ms. */
export async function takeVerificationToken(env: Env, sourceId: string, now: number): Promise<string | null> {
	// One transaction, so that only one of two readers gets it.
	const [found] = await withSchema(env, (db) =>
		db.batch<{ verification_token: string }>([
			db
				.prepare(
					`SELECT verification_token FROM sources
					WHERE id = ?1 AND verification_token IS NOT NULL AND verification_token_until > ?2`,
				)
				.bind(sourceId, now),
			db
				.prepare(
					`UPDATE sources SET verification_token = NULL, verification_token_until = NULL
					WHERE id = ? AND verification_token IS NOT NULL`,
				)
				.bind(sourceId),
		]),
	);
	const sealed = found?.results[0]?.verification_token;
	return sealed === undefined ? null : open(env, sealed);
}

/** Call after the source has verified a request: no token is accepted any more. `now` in ms. */
export async function endVerification(env: Env, sourceId: string, now: number): Promise<void> {
	await withSchema(env, (db) =>
		db
			.prepare(
				`UPDATE sources SET verified_at = ?2, verification_token = NULL, verification_token_until = NULL
				WHERE id = ?1 AND verified_at IS NULL`,
			)
			.bind(sourceId, now)
			.run(),
	);
}

/** Columns to reset when a source's auth changes, so that another publisher can send a token. */
export const AWAITING_VERIFICATION = {
	verification_token: null,
	verification_token_until: null,
	verified_at: null,
} as const;
