/** What the router's own keys are derived from: each use derives its own, so that none says anything of another. */
import type { Env } from "../env.ts";

export type KeyEnv = Pick<Env, "ENCRYPTION_KEY" | "ADMIN_TOKEN">;

/**
 * The first one seals and signs; all of them open and verify. ADMIN_TOKEN always does too, so that setting
 * ENCRYPTION_KEY for the first time leaves the stored secrets readable; also with the white space around it, with which
 * release 0.1 sealed. Empty while neither is set.
 */
export function keyMaterials({ ENCRYPTION_KEY = "", ADMIN_TOKEN = "" }: KeyEnv): string[] {
	const listed = ENCRYPTION_KEY.split(",").map((text) => text.trim());
	const usable = [...listed, ADMIN_TOKEN.trim()].filter((text) => text !== "");
	return ADMIN_TOKEN.trim() === "" ? usable : [...new Set([...usable, ADMIN_TOKEN])];
}
