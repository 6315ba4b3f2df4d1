/**
 * Hands out untried deliveries in order from the inbox. An inbox row is deleted when the last of
 * its deliveries has its own row; until then this class remembers which of them have none.
 */
import { log } from "../../../log.ts";
import { dropInbox, hasInbox, nextInbox, setInboxAside } from "./inbox.ts";
import type { InboxRow } from "./inbox-row.ts";
import type { Incoming } from "./incoming.ts";
import type { OpenInbox } from "../queries/owed.ts";
import { unreadableDelivery } from "../table/row.ts";
import { knownDeliveries, putDelivery } from "../table/table.ts";

type Claimed = ReadonlyMap<string, unknown>;

export class Untried {
	readonly #storage: DurableObjectStorage;
	/** Inbox rows that have been read, by key: the ids of their deliveries without their own row. */
	readonly #open = new Map<number, Set<string>>();
	/** The key of the newest inbox row that has been read, and its unclaimed deliveries. */
	#read = 0;
	#unclaimed: Incoming[] = [];

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
	}

	/** The next unclaimed delivery; null if there is none. */
	claim(claimed: Claimed): Incoming | null {
		for (;;) {
			const next = this.#unclaimed.shift();
			// Claimed, but not through this method: a hand has reported it.
			if (next !== undefined && claimed.has(next.decision.deliveryId)) continue;
			if (next !== undefined) return next;
			const row = nextInbox(this.#storage.sql, this.#read);
			if (row === null) return null;
			this.#read = row.seq;
			if ("unreadable" in row) this.#setAside(row.seq, row.unreadable);
			else this.#openRow(row.seq, row.deliveries, claimed);
		}
	}

	/** Whether there may be an unclaimed one. */
	hasMore(): boolean {
		return this.#unclaimed.length > 0 || hasInbox(this.#storage.sql, this.#read);
	}

	/**
	 * The deliveries that have been read from the inbox and have no row of their own, and how far the
	 * inbox has been read.
	 */
	get open(): OpenInbox {
		const open = [...this.#open].filter(([, ids]) => ids.size > 0);
		const deliveries = open.reduce((sum, [, ids]) => sum + ids.size, 0);
		const oldest = open.length === 0 ? null : Math.min(...open.map(([seq]) => seq));
		return { deliveries, oldest, read: this.#read };
	}

	/** Whether the delivery is known to have no row of its own. */
	has(id: string): boolean {
		return [...this.#open.values()].some((open) => open.has(id));
	}

	/** These deliveries have their own rows now. */
	recorded(ids: readonly string[]): void {
		for (const [seq, open] of this.#open) {
			for (const id of ids) open.delete(id);
			if (open.size > 0) continue;
			dropInbox(this.#storage.sql, seq);
			this.#open.delete(seq);
		}
		this.#unclaimed = this.#unclaimed.filter(({ decision }) => !ids.includes(decision.deliveryId));
	}

	/**
	 * Every delivery of this inbox row has its own row, because of changes by hand. A row that has
	 * been read is deleted by `recorded` instead.
	 */
	finished(seq: number): void {
		if (seq > this.#read) dropInbox(this.#storage.sql, seq);
	}

	/** A message that the queue delivered twice can be in the inbox twice. */
	#openRow(seq: number, deliveries: readonly Incoming[], claimed: Claimed): void {
		const known = knownDeliveries(
			this.#storage.sql,
			deliveries.map(({ decision }) => decision.deliveryId),
		);
		const open = new Set<string>();
		this.#unclaimed = deliveries.filter(({ decision: { deliveryId } }) => {
			if (known.has(deliveryId) || open.has(deliveryId)) return false;
			// A delivery in progress is stored only here until its outcome is written.
			open.add(deliveryId);
			return !claimed.has(deliveryId);
		});
		if (open.size === 0) dropInbox(this.#storage.sql, seq);
		else this.#open.set(seq, open);
	}

	/**
	 * Unreadable deliveries become dead letters, and the row is kept for a release that can read
	 * it.
	 */
	#setAside(seq: number, entries: InboxRow["entries"]): void {
		const { sql } = this.#storage;
		const known = knownDeliveries(
			sql,
			entries.map(({ decision }) => decision.deliveryId),
		);
		this.#storage.transactionSync(() => {
			entries.forEach(({ eventId, decision }, index) => {
				if (known.has(decision.deliveryId)) return;
				putDelivery(sql, unreadableDelivery(seq + index, eventId, decision, Date.now()));
			});
			setInboxAside(sql, seq);
		});
		log("dispatcher.unreadable", { inbox: seq, deliveries: entries.length });
	}
}
