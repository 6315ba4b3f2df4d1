/** Closed by default: until the operator has set a root key, every door but /healthz stays shut. */
import type { Env } from "../env.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** The root key; "" while there is none. Without white space around it: `echo` puts a line break behind what it pipes. */
export function rootKey({ ADMIN_TOKEN = "" }: Pick<Env, "ADMIN_TOKEN">): string {
	return ADMIN_TOKEN.trim();
}

/** 503 `not_configured` while there is no ADMIN_TOKEN; null once there is one. */
export function refuseWhileClosed(env: Pick<Env, "ADMIN_TOKEN">): Refusal | null {
	if (rootKey(env) !== "") return null;
	return refuse(
		503,
		"not_configured",
		"Closed until a root key is set: run `npx wrangler secret put ADMIN_TOKEN`, or put it into .dev.vars to develop.",
	);
}
