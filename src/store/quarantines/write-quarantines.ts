/** Writes to D1 which expressions are set aside, and makes ingest read their sources again. */
import type { Env } from "../../env.ts";
import { keepOverrun, takeOverrun } from "../../events/expressions/quarantine.ts";
import { log } from "../../log.ts";
import { storeQuarantine } from "./quarantine.ts";
import { uncacheSource } from "../views/source-cache.ts";

/**
 * Writes new quarantines to D1. Call it after evaluating expressions, once the caller's own work is stored. Never
 * throws. Failed writes are kept for the next call, because until then the API does not show the quarantine.
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
