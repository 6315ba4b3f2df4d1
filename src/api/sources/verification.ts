/** The token that a publisher has brought to a source that awaits one: shown once. */
import type { Env } from "../../env.ts";
import type { Source } from "../../store/records.ts";
import { takeVerificationToken } from "../../store/verification-token.ts";

/** Nothing for a source that awaits none. `now` in ms. */
export async function verificationToWire(
	env: Env,
	{ id, auth }: Source,
	now: number,
): Promise<{ verification_token?: string | null }> {
	if (auth?.type !== "hmac" || auth.verification_token !== true) return {};
	return { verification_token: await takeVerificationToken(env, id, now) };
}
