/**
 * Orders to retry or cancel many deliveries: how a dispatcher accepts them, and processes them slice by slice at its
 * alarm.
 */
import { type BulkAnswer, type BulkOrder, type BulkPart, NO_COUNTS } from "../bulk/order.ts";
import { type BulkParts, BulkRunner } from "../bulk/runner.ts";
import { type Again, orAgain } from "../or-again.ts";
import { BACKSTOP_MS } from "../rules/wake.ts";
import type { SettingsCache } from "../settings.ts";

export interface BulkOrdersParts extends Again, BulkParts {
	settings: SettingsCache;
	/** Runs the loop of the dispatcher. */
	start(): void;
}

export class BulkOrders {
	readonly #parts: BulkOrdersParts;
	readonly #runner: BulkRunner;

	constructor(parts: BulkOrdersParts) {
		this.#parts = parts;
		this.#runner = new BulkRunner(parts);
	}

	get isRunning(): boolean {
		return this.#runner.isRunning;
	}

	/** Begins an order unless `isBegun`, and returns its progress. Idempotent. */
	async take(order: BulkOrder, isBegun: boolean): Promise<BulkAnswer> {
		const { alarm } = this.#parts;
		const known = this.#runner.find(order.id);
		if (known !== null) return known;
		if (isBegun) return { status: "forgotten" };
		// No delivery has ever arrived.
		if (this.#parts.endpointId() === null) return { status: "done", ...NO_COUNTS };
		const begun = this.#runner.begin(order);
		if (begun.status === "busy") return begun;
		await alarm.arm(Date.now() + BACKSTOP_MS);
		// The first slice runs at once; small orders need no more.
		await orAgain(this.#parts, () => this.goOn());
		this.#parts.start();
		return this.#runner.find(order.id) ?? { status: "running", ...NO_COUNTS };
	}

	/** Stops the order; changes that were already made remain. null: there is no such order here. */
	stop(id: string): BulkPart | null {
		return this.#runner.stop(id);
	}

	/**
	 * Processes one slice. The next slice has its own alarm, so that other work gets a turn.
	 */
	async goOn(): Promise<void> {
		const { settings, alarm } = this.#parts;
		const endpointId = this.#parts.endpointId();
		if (endpointId === null || !this.#runner.isRunning) return;
		// Needed to tell servers about canceled jobs; without settings those jobs keep
		// running.
		if (settings.last === undefined) await settings.read(endpointId).catch(() => {});
		const waitMs = await this.#runner.goOn();
		if (waitMs !== null) await alarm.arm(Date.now() + waitMs);
	}
}
