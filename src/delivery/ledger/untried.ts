/**
 * Untried deliveries, given out in order from the inbox. An inbox row goes when the last of its deliveries has a row of
 * its own; until then this remembers which of them have none.
 */
import { log } from "../../log.ts";
import { dropInbox, hasInbox, type InboxRow, nextInbox, setInboxAside } from "./inbox.ts";
import type { Incoming } from "./incoming.ts";
import type { OpenInbox } from "./owed.ts";
import { unreadableDelivery } from "./row.ts";
import { knownDeliveries, putDelivery } from "./table.ts";

type Claimed = ReadonlyMap<string, unknown>;

export class Untried {
	readonly #storage: DurableObjectStorage;
	/** Inbox rows that have been read, by key: the ids of theirs that have no row of their own yet. */
	readonly #open = new Map<number, Set<string>>();
	/** The key of the newest inbox row that has been read, and what of it nobody has claimed. */
	#read = 0;
	#unclaimed: Incoming[] = [];

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
	}

	/** The next one that nobody has claimed; null when there is none. */
	claim(claimed: Claimed): Incoming | null {
		for (;;) {
			const next = this.#unclaimed.shift();
			// Claimed without having been given out here: a hand has told of it.
			if (next !== undefined && claimed.has(next.decision.deliveryId)) continue;
			if (next !== undefined) return next;
			const row = nextInbox(this.#storage.sql, this.#read);
			if (row === null) return null;
			this.#read = row.seq;
			if ("unreadable" in row) this.#setAside(row.seq, row.unreadable);
			else this.#openRow(row.seq, row.deliveries, claimed);
		}
	}

	/** Whether there may be one that nobody has claimed. */
	hasMore(): boolean {
		return this.#unclaimed.length > 0 || hasInbox(this.#storage.sql, this.#read);
	}

	/** What has been read out of the inbox and has no row of its own, and how far it has been read. */
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

	/** These have a row of their own now. */
	recorded(ids: readonly string[]): void {
		for (const [seq, open] of this.#open) {
			for (const id of ids) open.delete(id);
			if (open.size > 0) continue;
			dropInbox(this.#storage.sql, seq);
			this.#open.delete(seq);
		}
		this.#unclaimed = this.#unclaimed.filter(({ decision }) => !ids.includes(decision.deliveryId));
	}

	/** A message that the queue delivered twice can stand in the inbox twice. */
	#openRow(seq: number, deliveries: readonly Incoming[], claimed: Claimed): void {
		const known = knownDeliveries(
			this.#storage.sql,
			deliveries.map(({ decision }) => decision.deliveryId),
		);
		const open = new Set<string>();
		this.#unclaimed = deliveries.filter(({ decision: { deliveryId } }) => {
			if (known.has(deliveryId) || open.has(deliveryId)) return false;
			// One that is under way stands only here, until what comes of it is written.
			open.add(deliveryId);
			return !claimed.has(deliveryId);
		});
		if (open.size === 0) dropInbox(this.#storage.sql, seq);
		else this.#open.set(seq, open);
	}

	/** What cannot be read ends as dead letters, and the row is kept for whoever can read it. */
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
