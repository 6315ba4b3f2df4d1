/**
 * What follows after an operator has repaired an endpoint: deliveries that were parked for it, and jobs
 * that are polled, become due at once, because their waits were a reaction to its earlier state. There may be many
 * rows, so they are updated in slices. Nothing is sent until the last slice is done, because a
 * delivery that failed again would be brought forward by the next slice.
 */
import { toStoredStatus } from "./ledger/table/columns.ts";
import type { Owed } from "./rules/state.ts";

const KEY = "repaired_at";
/** Rows in one slice, which takes about 50 ms. */
const SLICE_ROWS = 5_000;

export class Repair {
	readonly #storage: DurableObjectStorage;
	/**
	 * When the repair began, ms since the epoch; null when all rows are done. Stored, because the
	 * object may be evicted between two slices.
	 */
	#since: number | null;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		this.#since = storage.kv.get<number>(KEY) ?? null;
	}

	/** Begins a repair at `now`, ms. */
	begin(now: number): void {
		this.#since = now;
		this.#storage.kv.put(KEY, now);
	}

	/**
	 * Makes the next slice due; returns true if there may be more. `isPolled`: the endpoint's jobs are polled, so
	 * waiting jobs become due too, even those that began while the endpoint completed by callback.
	 */
	goOn(isPolled: boolean): boolean {
		if (this.#since === null) return false;
		const changed = [this.#slice("pending", this.#since), isPolled ? this.#slice("waiting", this.#since) : 0];
		if (changed.includes(SLICE_ROWS)) return true;
		this.#storage.kv.delete(KEY);
		this.#since = null;
		return false;
	}

	/** Returns how many rows it changed. */
	#slice(phase: Owed["phase"], since: number): number {
		const { sql } = this.#storage;
		// A literal, because SQLite uses a partial index only if it can see the condition.
		const status = `'${toStoredStatus(phase)}'`;
		sql.exec(
			`UPDATE deliveries SET due_at = ?1 WHERE seq IN
				(SELECT seq FROM deliveries WHERE status = ${status} AND due_at > ?1 ORDER BY due_at LIMIT ${SLICE_ROWS})`,
			since,
		);
		return sql.exec<{ changed: number }>("SELECT changes() AS changed").one().changed;
	}
}
