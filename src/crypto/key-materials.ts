/** The input for the router's own keys. Each purpose derives its own key, so that no key reveals another. */
import type { Env } from "../env.ts";

export type KeyEnv = Pick<Env, "ENCRYPTION_KEY" | "ADMIN_TOKEN">;

/**
 * Returns all key materials: the first one seals and signs, all of them open and verify. ADMIN_TOKEN is always
 * included, so that stored secrets stay readable when ENCRYPTION_KEY is set for the first time; also untrimmed, because
 * release 0.1 sealed with it that way. Empty if neither is set.
 */
export function keyMaterials({ ENCRYPTION_KEY = "", ADMIN_TOKEN = "" }: KeyEnv): string[] {
	const listed = ENCRYPTION_KEY.split(",").map((text) => text.trim());
	const usable = [...listed, ADMIN_TOKEN.trim()].filter((text) => text !== "");
	return ADMIN_TOKEN.trim() === "" ? usable : [...new Set([...usable, ADMIN_TOKEN])];
}
