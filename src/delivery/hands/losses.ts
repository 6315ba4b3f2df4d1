/**
 * Exchanges that were lost with their hand: nobody knows how they ended. The delivery is tried again at once and spends
 * nothing; after some losses in a row the loss counts as an attempt, for it may be this response that ends the hands.
 */
import type { AttemptResult } from "../rules/attempt.ts";
import type { Held } from "./job.ts";

const MAX_LOSSES = 3;
/** Entries kept of each; the oldest go first. */
const KEPT = 2_000;

export class Losses {
	/** By delivery. */
	readonly #counts = new Map<string, number>();
	/** Of leases: should their ends come after all, they come late. */
	readonly #tokens = new Set<string>();

	/** What the lost exchange counts as; null: as nothing. `now` in ms. */
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

	/** An exchange of the delivery has ended: losses before it no longer count. */
	forget(deliveryId: string): void {
		this.#counts.delete(deliveryId);
	}
}
