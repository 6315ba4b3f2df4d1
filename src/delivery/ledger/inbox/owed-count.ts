/**
 * How many deliveries a dispatcher owes, without counting them on each call. Inbox deliveries are
 * numbered, so the oldest and the newest number give their count, and arrivals since the last count
 * are added. The number is never too low; it is counted again when it seems too high.
 */
import { toStoredStatus } from "../table/columns.ts";
import { nextNumber, oldestNumber } from "./inbox.ts";

/**
 * A count uses an index, at about 30,000 rows per millisecond; with this interval it takes less
 * than a hundredth of the time.
 */
const COUNTED_ROWS_PER_MS = 300;

interface Counted {
	atMost: number;
	nextNumber: number;
	/** No new count before this time, ms since the epoch. */
	againAt: number;
}

export class OwedCount {
	readonly #sql: SqlStorage;
	/** null: not counted since the object woke. */
	#counted: Counted | null = null;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
	}

	/**
	 * What is owed, or slightly more: deliveries that have ended since the last count are
	 * still included.
	 */
	get atMost(): number {
		return this.#get().atMost;
	}

	/** The number of the next delivery in the inbox. */
	get nextNumber(): number {
		return this.#get().nextNumber;
	}

	/** These have been written to the inbox. */
	addToInbox(deliveries: number): void {
		const counted = this.#get();
		counted.atMost += deliveries;
		counted.nextNumber += deliveries;
	}

	/** This delivery now has its own row and is owed again. */
	addRow(): void {
		this.#get().atMost += 1;
	}

	/** Counts again, but not so soon that counting would be most of the work. `now` in ms. */
	recount(now: number): void {
		const { againAt, nextNumber } = this.#get();
		if (now >= againAt) this.#counted = this.#count(nextNumber, now);
	}

	#get(): Counted {
		return (this.#counted ??= this.#count(nextNumber(this.#sql), 0));
	}

	#count(next: number, now: number): Counted {
		const rows = countRows(this.#sql);
		const waiting = next - (oldestNumber(this.#sql) ?? next);
		return {
			atMost: rows + waiting,
			nextNumber: next,
			againAt: now + Math.floor(rows / COUNTED_ROWS_PER_MS),
		};
	}
}

function countRows(sql: SqlStorage): number {
	// Literals, because SQLite uses a partial index only if it can see the condition.
	const counts = (["pending", "waiting", "publishing"] as const).map(
		(status) => `(SELECT count(*) FROM deliveries WHERE status = '${toStoredStatus(status)}')`,
	);
	return sql.exec<{ owed: number }>(`SELECT ${counts.join(" + ")} AS owed`).one().owed;
}
