/**
 * Which deliveries wait for the output of a job, up to the number that matters: an endpoint has a
 * limited number of slots, and one job more than that has the same effect as a thousand more.
 */
import { toStoredStatus } from "./columns.ts";
import type { Delivery } from "../../rules/delivery.ts";

/** More than the largest number of slots that an endpoint can have. */
const MOST = 601;

export class Jobs {
	readonly #sql: SqlStorage;
	/** null: not read since the object woke. */
	#ids: Set<string> | null = null;
	/** Whether there may be more than were read. */
	#isCut = false;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
	}

	/** How many there are; exact below 601. */
	get count(): number {
		if (this.#ids === null || (this.#isCut && this.#ids.size < MOST)) this.#read();
		return this.#ids?.size ?? 0;
	}

	/** Records the current state of the delivery, written or about to be written. */
	note({ id, state }: Delivery): void {
		if (this.#ids === null) return;
		if (state.phase !== "waiting") this.#ids.delete(id);
		else if (this.#ids.size < MOST) this.#ids.add(id);
		else this.#isCut = true;
	}

	#read(): void {
		const rows = this.#sql.exec<{ id: string }>(
			// A literal, because SQLite uses a partial index only if it can see the condition.
			`SELECT id FROM deliveries WHERE status = '${toStoredStatus("waiting")}' LIMIT ${MOST}`,
		);
		this.#ids = new Set(rows.toArray().map(({ id }) => id));
		this.#isCut = this.#ids.size >= MOST;
	}
}
