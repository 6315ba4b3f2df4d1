/**
 * How long finished deliveries are kept, and when they are swept. Pure except for the deletion
 * itself.
 */
import { BACKSTOP_MS, SWEEP_EVERY_MS } from "../../rules/wake.ts";
import type { Refused } from "../refused/refused.ts";
import { sweepDeliveries } from "./table.ts";

const RETENTION_MS = 30 * 86_400_000;
/**
 * A sweep takes long if most deliveries are still owed, so it runs less often then.
 */
const SWEEP_FULL_EVERY_MS = 60_000;

export class Retention {
	readonly #sql: SqlStorage;
	readonly #maxBytes: number;
	readonly #refused: Pick<Refused, "sweep">;
	#hasSwept = false;
	#sweptAt = 0;

	/** Above `maxBytes` the oldest finished deliveries are deleted early. */
	constructor(sql: SqlStorage, maxBytes: number, refused: Pick<Refused, "sweep">) {
		this.#sql = sql;
		this.#maxBytes = maxBytes;
		this.#refused = refused;
	}

	/** Whether any sweep has run since the object woke. */
	get hasSwept(): boolean {
		return this.#hasSwept;
	}

	/**
	 * When `sweep` last deleted everything that it had to, ms since the epoch; 0: not since the
	 * object woke.
	 */
	get sweptAt(): number {
		return this.#sweptAt;
	}

	/**
	 * Deletes deliveries that finished more than 30 days ago: once a day, however often it is called;
	 * more often while one run does not delete everything, and while space is short.
	 */
	sweep(now: number): void {
		const everyMs = this.#sql.databaseSize > this.#maxBytes ? SWEEP_FULL_EVERY_MS : SWEEP_EVERY_MS;
		if (now - this.#sweptAt < everyMs) return;
		this.#hasSwept = true;
		this.#refused.sweep(now - RETENTION_MS);
		const more = sweepDeliveries(this.#sql, now - RETENTION_MS, this.#maxBytes);
		this.#sweptAt = more ? now - SWEEP_EVERY_MS + BACKSTOP_MS : now;
	}
}
