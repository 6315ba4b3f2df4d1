/**
 * Determines from the Authorization header who sends the request: the root key, or one
 * of the API keys.
 */
import { isSameSecret } from "../../crypto/compare.ts";
import type { Env } from "../../env.ts";
import { refuseWhileClosed, rootKey } from "../../http/closed.ts";
import { credentials } from "../../http/credentials.ts";
import { type Refusal, refuse, refuseForNow } from "../../http/refusal.ts";
import { log } from "../../log.ts";
import type { ApiKey } from "../../store/access/keys.ts";
import { isKeyOf, keyIdOf } from "./key-text.ts";
import { lookUpKey } from "./keyring.ts";
import { type Principal, ROOT } from "./principal.ts";

/** `key`: null for the root key. */
export type Authenticated = { ok: true; principal: Principal; key: ApiKey | null };

/**
 * 503 `not_configured` if there is no root key, 401 `unauthorized` without a valid key, and 503
 * `unavailable` if D1 is needed and fails. `now` in ms.
 */
export async function authenticate(
	env: Env,
	header: string | undefined,
	now: number,
): Promise<Authenticated | Refusal> {
	const closed = refuseWhileClosed(env);
	if (closed !== null) return closed;
	const text = credentials(header ?? null, "bearer");
	if (text === null) {
		return unauthorized(env, "Send the API key as `Authorization: Bearer KEY`.", 'Bearer realm="sluice"');
	}
	if (isSameSecret(text, rootKey(env))) return { ok: true, principal: ROOT, key: null };
	const id = keyIdOf(text);
	let key: ApiKey | null;
	try {
		key = id === null ? null : await lookUpKey(env, id, now);
	} catch (cause) {
		log("key.not_looked_up", { error: String(cause) });
		return refuseForNow("unavailable", "API keys cannot be looked up now. Send the request again.", {
			cause,
		});
	}
	if (key === null || !isKeyOf(text, key.hash)) return invalid(env, "This API key is not valid.");
	const { name, role, scope, expiresAt } = key;
	if (expiresAt !== null && expiresAt <= now) return invalid(env, "This API key has expired.");
	if (role === null)
		return invalid(env, "A newer release created this API key with a role that this release does not know.");
	return { ok: true, principal: { id: key.id, name, role, scope }, key };
}

/**
 * RFC 6750, section 3.1, defines the parameter; it is omitted if no key was sent.
 */
function invalid(env: Env, message: string): Refusal {
	return unauthorized(env, message, 'Bearer realm="sluice", error="invalid_token"');
}

function unauthorized({ ALLOW_PRIVATE_ENDPOINTS }: Env, message: string, challenge: string): Refusal {
	const hint = ALLOW_PRIVATE_ENDPOINTS === "true" ? DEVELOPMENT : "";
	return { ...refuse(401, "unauthorized", message + hint), headers: { "www-authenticate": challenge } };
}

/** Where scripts/dev.ts gets it from. */
const DEVELOPMENT =
	" In development the root key is ADMIN_TOKEN in .dev.vars if that is set, otherwise the token that `npm run dev` keeps in .sluice/token.";
