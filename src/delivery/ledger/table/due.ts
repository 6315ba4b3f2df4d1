/** The deliveries of the table that are due, without a query if there can be none. */
import type { Delivery } from "../../rules/delivery.ts";
import { type Due, dueDelivery, nextDueAt } from "./table.ts";

type Claimed = ReadonlyMap<string, unknown>;

export class DueTried {
	readonly #sql: SqlStorage;
	/**
	 * Whether the table may hold deliveries that are owed; false only after a query has shown that
	 * there are none.
	 */
	readonly #mayOwe: Record<Due, boolean> = { pending: true, waiting: true, publishing: true };

	constructor(sql: SqlStorage) {
		this.#sql = sql;
	}

	/** A delivery has been written that is due now or later. */
	mayBe(which: Due): void {
		this.#mayOwe[which] = true;
	}

	/** The next one that is due and not in `claimed`; null if there is none. */
	next(which: Due, now: number, claimed: Claimed): Delivery | null {
		return this.at(which, claimed) === null ? null : dueDelivery(this.#sql, which, now, claimed);
	}

	/** When the next one is due, ms since the epoch; null if there is none. */
	at(which: Due, claimed: Claimed): number | null {
		if (!this.#mayOwe[which]) return null;
		const at = nextDueAt(this.#sql, which, claimed);
		// Claimed deliveries are taken into account when they are recorded.
		if (at === null) this.#mayOwe[which] = false;
		return at;
	}
}
