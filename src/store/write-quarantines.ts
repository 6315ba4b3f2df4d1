/** Writes to D1 which expressions have been set aside, and makes ingest read their sources anew. */
import type { Env } from "../env.ts";
import { keepOverrun, takeOverrun } from "../events/expressions/quarantine.ts";
import { log } from "../log.ts";
import { storeQuarantine } from "./quarantine.ts";
import { uncacheSource } from "./source-cache.ts";

/**
 * Tells D1 what has been set aside since. Whoever evaluates calls it when its own work is safe. Never throws. What D1
 * does not take is kept and told by the next call, for until then the API says that all is well.
 */
export async function writeQuarantines(env: Env): Promise<void> {
	for (let next = takeOverrun(); next !== undefined; next = takeOverrun()) {
		const line = { owner: next.ownerId, field: next.field, reason: next.reason };
		try {
			const name = await storeQuarantine(env, next);
			log("expression.set_aside", { ...line, stored: name !== null });
			if (name !== null && next.ownerId.startsWith("src_"))
				await uncacheSource(env, { id: next.ownerId, name });
		} catch (error) {
			log("expression.unwritten", { ...line, error: String(error) });
			keepOverrun(next);
			return;
		}
	}
}
