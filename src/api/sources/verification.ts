/**
 * The verification token that a publisher has sent to a source that expects one:
 * shown once.
 */
import type { Env } from "../../env.ts";
import type { Source } from "../../store/records.ts";
import { takeVerificationToken } from "../../store/resources/verification-token.ts";

/** Returns nothing for a source that expects none. `now` in ms. */
export async function verificationToWire(
	env: Env,
	{ id, auth }: Source,
	now: number,
): Promise<{ verification_token?: string | null }> {
	if (auth?.type !== "hmac" || auth.verification_token !== true) return {};
	return { verification_token: await takeVerificationToken(env, id, now) };
}
