/** How a dispatcher continues after a failure: the alarm tries again. */
import { log } from "../log.ts";
import type { Alarm } from "../objects/alarm.ts";
import { AGAIN_MS } from "./rules/wake.ts";

export interface Again {
	alarm: Alarm;
	/** `ep_…`; null until the first delivery arrives. */
	endpointId(): string | null;
}

/** Never throws: failures are logged, and the alarm tries again. */
export async function orAgain(again: Again, work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		log("dispatcher.failed", { endpoint_id: again.endpointId(), error: String(error) });
		await again.alarm.arm(Date.now() + AGAIN_MS).catch(() => {});
	}
}
