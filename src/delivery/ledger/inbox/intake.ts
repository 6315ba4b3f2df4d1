/**
 * Writes deliveries to the inbox as long as there is room, and records the others as refused. A
 * full database is treated the same way; every other error is thrown.
 */
import { log } from "../../../log.ts";
import type { Delivery } from "../../rules/delivery.ts";
import { putDelivery } from "../table/table.ts";
import { putInbox } from "./inbox.ts";
import type { IncomingEvent } from "./incoming.ts";
import { countDeliveries, type Fill, isHigh, isStorageFull, type Load, roomFor, splitAt } from "./limits.ts";
import { OwedCount } from "./owed-count.ts";
import { Refused } from "../refused/refused.ts";

export interface Taken {
	/** Ids of the deliveries that did not fit. */
	refused: string[];
	/**
	 * Whether the refused deliveries are recorded here; otherwise only the caller
	 * knows about them.
	 */
	areRefusalsKept: boolean;
	/** The last position that has been used. */
	last: number;
}

export class Intake {
	readonly refused: Refused;
	readonly #storage: DurableObjectStorage;
	readonly #limits: Load;
	readonly #owed: OwedCount;
	readonly #sweep: (now: number) => void;

	/** `sweep` deletes some finished deliveries, unless it has just run; `now` in ms. */
	constructor(storage: DurableObjectStorage, limits: Load, sweep: (now: number) => void) {
		this.#storage = storage;
		this.#limits = limits;
		this.#sweep = sweep;
		this.#owed = new OwedCount(storage.sql);
		this.refused = new Refused(storage.sql);
	}

	/** Stores deliveries that are not here yet, at positions after `last`. `now` in ms. */
	take(items: readonly IncomingEvent[], last: number, now: number): Taken {
		const { taken, refused } = splitAt(items, this.roomFor(countDeliveries(items), now));
		let used = last;
		const isTaken =
			taken.length > 0 &&
			this.#unlessFull(() => {
				used = putInbox(this.#storage.sql, taken, last, now, this.#owed.nextNumber);
			});
		if (isTaken) this.#owed.addToInbox(countDeliveries(taken));
		else refused.unshift(...taken);
		const keptAt = refused.length > 0 ? this.#refuse(refused, used, now) : null;
		return {
			refused: refused.flatMap(({ decisions }) => decisions.map(({ deliveryId }) => deliveryId)),
			areRefusalsKept: keptAt !== null,
			last: keptAt ?? used,
		};
	}

	/**
	 * How many of `wanted` deliveries fit. Finished deliveries are deleted first to make room.
	 */
	roomFor(wanted: number, now: number): number {
		const { sql } = this.#storage;
		if (sql.databaseSize > this.#limits.bytes) this.#sweep(now);
		if (this.#owed.atMost + wanted > this.#limits.deliveries) this.#owed.recount(now);
		return Math.min(
			wanted,
			roomFor({ deliveries: this.#owed.atMost, bytes: sql.databaseSize }, this.#limits),
		);
	}

	/** How full the backlog is. Recounted if it seems nearly full. `now` in ms. */
	fill(now: number): Fill {
		const limit = this.#limits.deliveries;
		if (isHigh({ owed: this.#owed.atMost, limit }, true)) this.#owed.recount(now);
		return { owed: this.#owed.atMost, limit };
	}

	/**
	 * Writes a delivery that was refused earlier, with its event. false if there is still no room for
	 * it.
	 */
	readmit(delivery: Delivery, now: number): boolean {
		if (this.roomFor(1, now) === 0) return false;
		const isTaken = this.#unlessFull(() => {
			putDelivery(this.#storage.sql, delivery);
			this.refused.drop(delivery.id);
		});
		if (isTaken) this.#owed.addRow();
		return isTaken;
	}

	/** A delivery that had ended has been written as owed again. */
	owedAgain(): void {
		this.#owed.addRow();
	}

	/**
	 * Returns the last position used; null if there is no room even for this record, so that only the
	 * event log knows about them.
	 */
	#refuse(items: readonly IncomingEvent[], last: number, now: number): number | null {
		let used = last;
		const isKept = this.#unlessFull(() => {
			used = this.refused.put(items, last, now);
		});
		log("dispatcher.full", {
			endpoint_id: items[0]?.decisions[0]?.endpointId,
			refused: countDeliveries(items),
			owed: this.#owed.atMost,
			bytes: this.#storage.sql.databaseSize,
		});
		return isKept ? used : null;
	}

	/** All or nothing. false if the database is full; throws every other error. */
	#unlessFull(write: () => void): boolean {
		try {
			this.#storage.transactionSync(write);
			return true;
		} catch (error) {
			if (isStorageFull(error)) return false;
			throw error;
		}
	}
}
