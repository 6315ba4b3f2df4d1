/** Who may use the management API: one decision over the Authorization header, and the middleware that asks it. */
import { createMiddleware } from "hono/factory";
import type { Env } from "../env.ts";
import { isSameSecret } from "../ingest/compare.ts";
import { Problem } from "../problem.ts";

/** Lets a request pass, or throws 503 `not_configured` or 401 `unauthorized`. */
export const requireKey = createMiddleware<{ Bindings: Env }>(async (c, next) => {
	const refusal = refuseKey(c.env, c.req.header("authorization"));
	if (refusal !== null) throw refusal;
	await next();
});

/** null when the header carries a key that may use the API. */
export function refuseKey({ ADMIN_TOKEN = "" }: Pick<Env, "ADMIN_TOKEN">, header?: string): Problem | null {
	if (ADMIN_TOKEN === "") {
		return new Problem(
			503,
			"not_configured",
			"The API is closed until a root key is set: run `npx wrangler secret put ADMIN_TOKEN`.",
		);
	}
	const key = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
	if (key === undefined) {
		return unauthorized("Send the API key as `Authorization: Bearer KEY`.", 'Bearer realm="sluice"');
	}
	if (!isSameSecret(key, ADMIN_TOKEN)) {
		// The parameter is RFC 6750, section 3.1; it is left out when no key was sent.
		return unauthorized("This API key is not valid.", 'Bearer realm="sluice", error="invalid_token"');
	}
	return null;
}

function unauthorized(detail: string, challenge: string): Problem {
	return new Problem(401, "unauthorized", detail, { headers: { "www-authenticate": challenge } });
}
