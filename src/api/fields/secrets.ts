/** Secrets that the API makes, judges and rotates. Pure but for randomness and
 * one setting of the deployment; they are stored by store/. */
import { env } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { isPublicKey, refusePublicKey } from "../../crypto/verify-standard-webhooks.ts";
import { generateSigningSecret, liveSecrets, refuseSigningSecret } from "../../crypto/standard-webhooks.ts";
import { Problem } from "../../http/problem.ts";
import type { LiveSecret } from "../../crypto/live-secret.ts";
import type { SourceAuthType } from "../../store/records.ts";
import { hasSecret } from "../../store/source-auth.ts";
import { SPACE_AROUND, hasSpaceAround } from "./fields.ts";

const DEFAULT_GRACE_SECONDS = 86_400;
const MAX_GRACE_SECONDS = 604_800;
/** One signature is made, or one comparison, with each. */
const MAX_LIVE_SECRETS = 10;
const MIN_SOURCE_SECRET_LENGTH = 8;
const MAX_SOURCE_SECRET_LENGTH = 512;
/** AWS's have 40 characters. */
const AWS_SECRET_ACCESS_KEY = /^[A-Za-z0-9/+=]{16,128}$/;
/** Emulators take any, and those who use LocalStack or ElasticMQ have "test" or "x". */
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
 * Puts `value` before the secrets that are still live and lets those end with the grace period; with a grace of
 * 0 they end at once. So do those that cannot be read (null). Throws 409 `too_many_secrets`.
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
			`${former.length} secrets are still valid. Wait until one has ended, or rotate with grace_period_seconds 0, which ends them all.`,
		);
	}
	return [newSecret(value, now), ...former];
}

/** A new secret for requests of a source; null when its auth has none. */
export function generateSourceSecret(type: SourceAuthType): string | null {
	if (!hasSecret(type)) return null;
	// Hex: a secret that begins with a dash would be taken for an option by the command lines it is pasted into.
	return type === "standard_webhooks" ? generateSigningSecret() : randomBytes(32).toString("hex");
}

/** Why a source with this auth cannot have `secret`, for the person who gave it; null when it can. */
export function refuseSourceSecret(type: SourceAuthType, secret: string): string | null {
	if (!hasSecret(type)) return `a source with auth "${type}" has no secret`;
	if (hasSpaceAround(secret)) return SPACE_AROUND;
	if (type === "standard_webhooks") {
		if (isPublicKey(secret)) return refusePublicKey(secret);
		return secret.startsWith("whsec_") ? refuseSigningSecret(secret) : "must begin with whsec_ or whpk_";
	}
	if (type === "aws_keys") {
		// An emulator can only be asked where private endpoints are allowed.
		const pattern = env.ALLOW_PRIVATE_ENDPOINTS === "true" ? EMULATOR_SECRET : AWS_SECRET_ACCESS_KEY;
		return pattern.test(secret) ? null : "must be a secret access key of AWS";
	}
	if (secret.length < MIN_SOURCE_SECRET_LENGTH)
		return `must have at least ${MIN_SOURCE_SECRET_LENGTH} characters`;
	if (secret.length > MAX_SOURCE_SECRET_LENGTH)
		return `must have at most ${MAX_SOURCE_SECRET_LENGTH} characters`;
	// What is compared as it is must survive a header or a URL.
	const travels = type === "bearer" || type === "header" || type === "url_token";
	if (travels && !/^[!-~]+$/.test(secret)) return "must be visible ASCII characters without spaces";
	return null;
}

/** The secret in force: the newest that has not ended. */
export function currentSecret(secrets: readonly LiveSecret[], now: number): string | null {
	return liveSecrets(secrets, now)[0] ?? null;
}
