/**
 * After a crash of workerd: wrangler restarts it, but if all of its processes are lost at once, requests may hang from
 * then on. Nothing says so, and only another start helps.
 */
import { setTimeout } from "node:timers/promises";

export const NO_RESPONSE =
	"The router has not responded since the crash. Stop it with Ctrl-C and start it again. Its state is kept.";

/** How often it is asked, and how long one request and the pause after it may take, ms. */
const PATIENCE = { tries: 4, requestMs: 5_000, pauseMs: 3_000 };

/** Whether a line of wrangler's output reports that workerd crashed. */
export function isCrash(line: string): boolean {
	return line.includes("Workers runtime crashed");
}

/** Returns whether the router at `url` responds again. Never throws. */
export async function respondsAgain(url: string, { tries, requestMs, pauseMs } = PATIENCE): Promise<boolean> {
	for (let tried = 1; tried <= tries; tried++) {
		await setTimeout(pauseMs);
		const signal = AbortSignal.timeout(requestMs);
		const response = await fetch(`${url}/healthz`, { signal }).catch(() => null);
		await response?.body?.cancel();
		if (response !== null) return true;
	}
	return false;
}
