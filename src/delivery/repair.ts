/**
 * What follows once somebody has seen to an endpoint: what was parked for it is due at once, because the waits were a
 * reaction to how it was before. Many rows may be parked, so they come forward in slices, and nothing is sent until the
 * last one has: what fails anew would come forward with the next.
 */

const KEY = "repaired_at";
/** Rows of one slice: some 50 ms. */
const SLICE_ROWS = 5_000;

export class Repair {
	readonly #storage: DurableObjectStorage;
	/** ms since the epoch; null when all has come forward. Kept, as the object may be lost between two slices. */
	#since: number | null;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		this.#since = storage.kv.get<number>(KEY) ?? null;
	}

	/** Somebody has repaired the endpoint, at `now` in ms. */
	begin(now: number): void {
		this.#since = now;
		this.#storage.kv.put(KEY, now);
	}

	/** Brings the next slice forward; true when there may be more. */
	goOn(): boolean {
		if (this.#since === null) return false;
		const { sql } = this.#storage;
		sql.exec(
			`UPDATE deliveries SET due_at = ?1 WHERE seq IN
				(SELECT seq FROM deliveries WHERE status = 'pending' AND due_at > ?1 ORDER BY due_at LIMIT ${SLICE_ROWS})`,
			this.#since,
		);
		const { changed } = sql.exec<{ changed: number }>("SELECT changes() AS changed").one();
		if (changed === SLICE_ROWS) return true;
		this.#storage.kv.delete(KEY);
		this.#since = null;
		return false;
	}
}
