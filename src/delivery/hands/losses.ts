/**
 * Exchanges that were lost with their hand: their outcome is unknown. The delivery is retried at
 * once and spends no attempt. After several losses in a row the loss counts as an attempt, because
 * the response itself may be what crashes the hands.
 */
import type { AttemptResult } from "../rules/attempt.ts";
import type { Held } from "./job.ts";

const MAX_LOSSES = 3;
/** Entries kept of each kind; the oldest are dropped first. */
const KEPT = 2_000;

export class Losses {
	/** By delivery. */
	readonly #counts = new Map<string, number>();
	/** Tokens of lost leases: an outcome that arrives for one is late. */
	readonly #tokens = new Set<string>();

	/** What the lost exchange counts as; null: it does not count. `now` in ms. */
	count({ token, deliveryId, startedAt }: Held, now: number): AttemptResult | null {
		this.#tokens.add(token);
		const count = (this.#counts.get(deliveryId) ?? 0) + 1;
		this.#counts.set(deliveryId, count);
		for (const kept of [this.#counts, this.#tokens]) {
			const [oldest] = kept.keys();
			if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
		}
		if (count < MAX_LOSSES) return null;
		this.#counts.delete(deliveryId);
		const message = `The object that carried out the exchange was lost ${count} times in a row.`;
		return { kind: "no_response", error: "lost", message, durationMs: now - startedAt };
	}

	isLost(token: string): boolean {
		return this.#tokens.has(token);
	}

	/** An exchange of the delivery has ended: earlier losses no longer count. */
	forget(deliveryId: string): void {
		this.#counts.delete(deliveryId);
	}
}
