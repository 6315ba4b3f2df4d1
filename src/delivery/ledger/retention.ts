/** How long what is finished is kept, and when it is looked for. Pure but for the deletion itself. */
import { BACKSTOP_MS, SWEEP_EVERY_MS } from "../rules/wake.ts";
import { sweepDeliveries } from "./table.ts";

const RETENTION_MS = 30 * 86_400_000;
/** Looking for what may be forgotten takes long where all is still owed. */
const SWEEP_FULL_EVERY_MS = 60_000;
/** Of the 10 GB that a Durable Object holds; above it the oldest finished deliveries go before their time. */
const MAX_BYTES = 8_000_000_000;

export class Retention {
	readonly #sql: SqlStorage;
	#hasSwept = false;
	#sweptAt = 0;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
	}

	/** Whether anything may have been forgotten since the object woke. */
	get hasSwept(): boolean {
		return this.#hasSwept;
	}

	/** When `sweep` last forgot all it had to, ms since the epoch; 0: not since the object woke. */
	get sweptAt(): number {
		return this.#sweptAt;
	}

	/**
	 * Forgets finished deliveries of more than 30 days: once a day, however often it is called; more often while there
	 * is more to forget than one go takes, and while room is short.
	 */
	sweep(now: number): void {
		const everyMs = this.#sql.databaseSize > MAX_BYTES ? SWEEP_FULL_EVERY_MS : SWEEP_EVERY_MS;
		if (now - this.#sweptAt < everyMs) return;
		this.#hasSwept = true;
		const more = sweepDeliveries(this.#sql, now - RETENTION_MS, MAX_BYTES);
		this.#sweptAt = more ? now - SWEEP_EVERY_MS + BACKSTOP_MS : now;
	}
}
