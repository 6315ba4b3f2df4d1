/**
 * Generates, checks and rotates the secrets of the API. Pure except for randomness
 * and one deployment setting; store/ stores them.
 */
import { env } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { isPublicKey, refusePublicKey } from "../../crypto/verify-standard-webhooks.ts";
import { generateSigningSecret, liveSecrets, refuseSigningSecret } from "../../crypto/standard-webhooks.ts";
import { Problem } from "../../http/problem.ts";
import type { LiveSecret } from "../../crypto/live-secret.ts";
import type { SourceAuthType } from "../../store/records.ts";
import { hasSecret } from "../../store/resources/source-auth.ts";
import { SPACE_AROUND, hasSpaceAround } from "./fields.ts";

const DEFAULT_GRACE_SECONDS = 86_400;
const MAX_GRACE_SECONDS = 604_800;
/** Each of them costs one signature, or one comparison. */
const MAX_LIVE_SECRETS = 10;
const MIN_SOURCE_SECRET_LENGTH = 8;
const MAX_SOURCE_SECRET_LENGTH = 512;
/** AWS secrets have 40 characters. */
const AWS_SECRET_ACCESS_KEY = /^[A-Za-z0-9/+=]{16,128}$/;
/**
 * Emulators accept any secret; LocalStack and ElasticMQ are often used with "test" or
 * "x".
 */
const EMULATOR_SECRET = /^[!-~]{1,128}$/;

/** Body of `POST …/secret/rotate`. */
export const rotationSchema = z.strictObject({
	secret: z.string().optional(),
	grace_period_seconds: z.number().int().min(0).max(MAX_GRACE_SECONDS).optional(),
});

export function newSecret(value: string, now: number): LiveSecret {
	return { value, createdAt: now, expiresAt: null };
}

/**
 * Adds `value` before the secrets that are still live, and lets those expire after the grace
 * period; with a grace period of 0 they expire at once. Unreadable secrets (null) expire at once
 * too. Throws 409 `too_many_secrets`.
 */
export function rotateSecrets(
	secrets: readonly LiveSecret[] | null,
	value: string,
	{ now, graceSeconds = DEFAULT_GRACE_SECONDS }: { now: number; graceSeconds?: number | undefined },
): LiveSecret[] {
	const end = now + graceSeconds * 1000;
	const former = (secrets ?? [])
		.map((secret) => ({ ...secret, expiresAt: Math.min(secret.expiresAt ?? end, end) }))
		.filter((secret) => secret.expiresAt > now && secret.value !== value);
	if (former.length >= MAX_LIVE_SECRETS) {
		throw new Problem(
			409,
			"too_many_secrets",
			`${former.length} secrets are still valid. Wait until one expires, or rotate with grace_period_seconds 0, which ends them all.`,
		);
	}
	return [newSecret(value, now), ...former];
}

/** A new secret for requests of a source; null if its auth has none. */
export function generateSourceSecret(type: SourceAuthType): string | null {
	if (!hasSecret(type)) return null;
	// Hex, because command lines would read a pasted secret that begins with a dash as an option.
	return type === "standard_webhooks" ? generateSigningSecret() : randomBytes(32).toString("hex");
}

/** Why a source with this auth cannot use `secret`, as an error message; null if it can. */
export function refuseSourceSecret(type: SourceAuthType, secret: string): string | null {
	if (!hasSecret(type)) return `a source with auth "${type}" has no secret`;
	if (hasSpaceAround(secret)) return SPACE_AROUND;
	if (type === "standard_webhooks") {
		if (isPublicKey(secret)) return refusePublicKey(secret);
		return secret.startsWith("whsec_") ? refuseSigningSecret(secret) : "must begin with whsec_ or whpk_";
	}
	if (type === "aws_keys") {
		// An emulator can only be reached if private endpoints are allowed.
		const pattern = env.ALLOW_PRIVATE_ENDPOINTS === "true" ? EMULATOR_SECRET : AWS_SECRET_ACCESS_KEY;
		return pattern.test(secret) ? null : "must be a secret access key of AWS";
	}
	if (secret.length < MIN_SOURCE_SECRET_LENGTH)
		return `must have at least ${MIN_SOURCE_SECRET_LENGTH} characters`;
	if (secret.length > MAX_SOURCE_SECRET_LENGTH)
		return `must have at most ${MAX_SOURCE_SECRET_LENGTH} characters`;
	// A secret that is sent unchanged must fit into a header or a URL.
	const travels = type === "bearer" || type === "header" || type === "url_token";
	if (travels && !/^[!-~]+$/.test(secret)) return "must be visible ASCII characters without spaces";
	return null;
}

/** The secret in use: the newest that has not expired. */
export function currentSecret(secrets: readonly LiveSecret[], now: number): string | null {
	return liveSecrets(secrets, now)[0] ?? null;
}
