/**
 * Takes deliveries into the inbox as far as there is room, and remembers the others as refused. That the database itself
 * is full comes to the same; every other error is thrown.
 */
import { log } from "../../log.ts";
import type { Delivery } from "../rules/delivery.ts";
import { putDelivery } from "./table.ts";
import { putInbox } from "./inbox.ts";
import type { IncomingEvent } from "./incoming.ts";
import { countDeliveries, type Fill, isHigh, isStorageFull, type Load, roomFor, splitAt } from "./limits.ts";
import { OwedCount } from "./owed-count.ts";
import { Refused } from "./refused.ts";

export interface Taken {
	/** Ids of the deliveries that there is no room for. */
	refused: string[];
	/** Whether these are remembered; else only whoever is told knows of them. */
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

	/** `sweep` forgets some of what is finished, unless it has just looked; `now` in ms. */
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

	/** How many of so many deliveries there is room for. What is finished makes room first. */
	roomFor(wanted: number, now: number): number {
		const { sql } = this.#storage;
		if (sql.databaseSize > this.#limits.bytes) this.#sweep(now);
		if (this.#owed.atMost + wanted > this.#limits.deliveries) this.#owed.recount(now);
		return Math.min(
			wanted,
			roomFor({ deliveries: this.#owed.atMost, bytes: sql.databaseSize }, this.#limits),
		);
	}

	/** How full it is. Counted anew where it seems to be rather full. `now` in ms. */
	fill(now: number): Fill {
		const limit = this.#limits.deliveries;
		if (isHigh({ owed: this.#owed.atMost, limit }, true)) this.#owed.recount(now);
		return { owed: this.#owed.atMost, limit };
	}

	/** Writes a delivery that was refused before, with its event. false when there is still no room for it. */
	readmit(delivery: Delivery, now: number): boolean {
		if (this.roomFor(1, now) === 0) return false;
		const isTaken = this.#unlessFull(() => {
			putDelivery(this.#storage.sql, delivery);
			this.refused.drop(delivery.id);
		});
		if (isTaken) this.#owed.addRow();
		return isTaken;
	}

	/** A delivery that was over has been written as one that is owed. */
	owedAgain(): void {
		this.#owed.addRow();
	}

	/** Returns the last position used; null where there is no room even for this, and only the event log will know of them. */
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

	/** All of it or nothing. false when the database has no room; throws what else it has to say. */
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
