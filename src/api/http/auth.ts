/** Who may use the management API: one decision over the Authorization header, and the middleware that asks it. */
import { createMiddleware } from "hono/factory";
import { refuseWhileClosed, rootKey } from "../../http/closed.ts";
import { credentials } from "../../http/credentials.ts";
import type { Env } from "../../env.ts";
import { isSameSecret } from "../../crypto/compare.ts";
import { type Refusal, refuse, toProblem } from "../../http/refusal.ts";

/** Lets a request pass, or throws 503 `not_configured` or 401 `unauthorized`. */
export const requireKey = createMiddleware<{ Bindings: Env }>(async (c, next) => {
	const refusal = refuseKey(c.env, c.req.header("authorization"));
	if (refusal !== null) throw toProblem(refusal);
	await next();
});

/** null when the header carries a key that may use the API. */
function refuseKey(env: Pick<Env, "ADMIN_TOKEN">, header?: string): Refusal | null {
	const closed = refuseWhileClosed(env);
	if (closed !== null) return closed;
	const key = credentials(header ?? null, "bearer");
	if (key === null) {
		return unauthorized("Send the API key as `Authorization: Bearer KEY`.", 'Bearer realm="sluice"');
	}
	if (!isSameSecret(key, rootKey(env))) {
		// The parameter is RFC 6750, section 3.1; it is left out when no key was sent.
		return unauthorized("This API key is not valid.", 'Bearer realm="sluice", error="invalid_token"');
	}
	return null;
}

function unauthorized(message: string, challenge: string): Refusal {
	return { ...refuse(401, "unauthorized", message), headers: { "www-authenticate": challenge } };
}
