/**
 * Waiting for an effect. Tests never sleep for a fixed time and never assert how long something took.
 */
import { PATIENCE_MS } from "../../patience.ts";

const POLL_EVERY_MS = 50;

/**
 * Asks `probe` again and again until it answers something other than null, and resolves with that.
 *
 * @throws {Error} naming `what` when it has not happened in `giveUpAfterMs`
 */
export async function until<T>(
	what: string,
	probe: () => T | null | Promise<T | null>,
	giveUpAfterMs = PATIENCE_MS,
): Promise<T> {
	const deadline = Date.now() + giveUpAfterMs;
	for (;;) {
		const found = await probe();
		if (found !== null) return found;
		if (Date.now() > deadline) throw new Error(`Waited ${giveUpAfterMs / 1000} s in vain for ${what}.`);
		await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
	}
}
