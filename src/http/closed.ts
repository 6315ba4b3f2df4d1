/** Closed by default: until the operator sets a root key, every route except /healthz is refused. */
import type { Env } from "../env.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** Returns the root key, or "" if none is set. Trimmed, because piping from `echo` appends a line break. */
export function rootKey({ ADMIN_TOKEN = "" }: Pick<Env, "ADMIN_TOKEN">): string {
	return ADMIN_TOKEN.trim();
}

/** Returns 503 `not_configured` if ADMIN_TOKEN is unset, else null. */
export function refuseWhileClosed(env: Pick<Env, "ADMIN_TOKEN">): Refusal | null {
	if (rootKey(env) !== "") return null;
	return refuse(
		503,
		"not_configured",
		"No root key is set. Run `npx wrangler secret put ADMIN_TOKEN`, or set it in .dev.vars for development.",
	);
}
