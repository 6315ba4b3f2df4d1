/** Closed by default: until the operator has set a root key, every door but /healthz stays shut. */
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/** 503 `not_configured` while there is no ADMIN_TOKEN; null once there is one. */
export function refuseWhileClosed({ ADMIN_TOKEN = "" }: Pick<Env, "ADMIN_TOKEN">): Problem | null {
	if (ADMIN_TOKEN !== "") return null;
	return new Problem(
		503,
		"not_configured",
		"Closed until a root key is set: run `npx wrangler secret put ADMIN_TOKEN`, or put it into .dev.vars to develop.",
	);
}
