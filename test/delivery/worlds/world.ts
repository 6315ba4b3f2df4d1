/** What the worlds of the model tests share: patience with objects that are lost, and when a delivery is over. */
import { PATIENCE_MS } from "../../patience.ts";

export const OVER: readonly string[] = ["succeeded", "dead", "canceled"];

/** A call to an object that has just crashed may fail; whoever makes it makes it again. */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
	for (let tries = 0; ; tries++) {
		try {
			return await call();
		} catch (error) {
			if (tries > PATIENCE_MS / 10) throw error;
			await sleep(10);
		}
	}
}

export function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
