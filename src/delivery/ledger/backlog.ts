/**
 * What a dispatcher owes: its inbox and its delivery table, as one place to put work, take it and look it up.
 * It remembers which untried deliveries it has given out, so that an inbox row goes when the last of them has a
 * row of its own. It decides nothing about a delivery.
 */
import { timeOfPosition } from "../../events/position.ts";
import {
	dueDelivery,
	findDelivery,
	knownDeliveries,
	lastDeliveryPosition,
	nextDueAt,
	putDelivery,
	putNewDelivery,
	type Due,
	sweepDeliveries,
} from "./delivery-table.ts";
import { log } from "../../log.ts";
import { unreadableDelivery, type Delivery } from "./delivery-row.ts";
import { type Incoming, type IncomingEvent } from "./incoming.ts";
import {
	dropInbox,
	findInInbox,
	findSetAside,
	hasInbox,
	lastInboxPosition,
	nextInbox,
	setInboxAside,
	waitingIn,
	type InboxRow,
} from "./inbox.ts";
import { Intake } from "./intake.ts";
import { LIMITS, type Load } from "./limits.ts";
import type { Refused } from "./refused.ts";
import type { Enqueued } from "../rpc.ts";
import { fresh } from "../rules/lifecycle.ts";
import { migrate } from "../../objects/schema.ts";
import { DISPATCHER_SCHEMA } from "./tables.ts";
import { BACKSTOP_MS, type Outlook, SWEEP_EVERY_MS } from "../rules/wake.ts";

const RETENTION_MS = 30 * 86_400_000;
/** Looking for what may be forgotten takes long where all is still owed. */
const SWEEP_FULL_EVERY_MS = 60_000;

export class Backlog {
	readonly #storage: DurableObjectStorage;
	readonly #limits: Load;
	readonly #intake: Intake;
	/** The last position given to a delivery. */
	#last: number;
	/** Inbox rows that have been read, by key: the ids of theirs that have no row of their own yet. */
	readonly #open = new Map<number, Set<string>>();
	/** The key of the newest inbox row that has been read, and what of it nobody has claimed. */
	#read = 0;
	#unclaimed: Incoming[] = [];
	#untriedFirst = false;
	/** Whether the table may hold deliveries that are owed; false only where it has been looked. */
	readonly #mayOwe: Record<Due, boolean> = { pending: true, publishing: true };
	/** Whether anything may have been forgotten since the object woke. */
	#hasSwept = false;
	#sweptAt = 0;

	constructor(storage: DurableObjectStorage, limits: Load = LIMITS) {
		this.#storage = storage;
		this.#limits = limits;
		migrate(storage, DISPATCHER_SCHEMA);
		this.#intake = new Intake(storage, limits, (now) => this.sweep(now));
		const { sql } = storage;
		this.#last = Math.max(lastInboxPosition(sql), lastDeliveryPosition(sql), this.refused.last);
	}

	/** Deliveries that there was no room for. */
	get refused(): Refused {
		return this.#intake.refused;
	}

	/**
	 * Takes deliveries in, but for those that are here (tried ones, and untried ones of events that came before) and
	 * those that there is no room for, now or when they came before.
	 */
	add(items: readonly IncomingEvent[], now: number): Enqueued {
		const { sql } = this.#storage;
		const ids = items.flatMap(({ decisions }) => decisions.map(({ deliveryId }) => deliveryId));
		const known = knownDeliveries(sql, ids);
		const full: string[] = [];
		const storedAt = Math.min(...items.map((item) => item.storedAt ?? Number.POSITIVE_INFINITY));
		if (storedAt < Number.POSITIVE_INFINITY) {
			const wanted = new Set(ids.filter((id) => !known.has(id)));
			for (const id of waitingIn(sql, "inbox", wanted, storedAt)) known.add(id);
			full.push(...this.refused.among(wanted.difference(known), storedAt));
			for (const id of full) known.add(id);
		}
		const unknown = items
			.map(({ event, decisions }) => ({
				event,
				// Known from here on, because one call may bring an event twice.
				decisions: decisions.filter(({ deliveryId }) => !known.has(deliveryId) && known.add(deliveryId)),
			}))
			.filter(({ decisions }) => decisions.length > 0);
		if (unknown.length === 0) return { full };
		const { refused, last } = this.#intake.take(unknown, this.#last, now);
		this.#last = last;
		return { full: [...full, ...refused] };
	}

	/** How many of so many deliveries there is room for. `now` in ms. */
	roomFor(wanted: number, now: number): number {
		return this.#intake.roomFor(wanted, now);
	}

	/** Writes a delivery that was refused before, with its event. false when there is still no room for it. */
	readmit(delivery: Delivery, now: number): boolean {
		this.#mayOwe.pending = true;
		return this.#intake.readmit(delivery, now);
	}

	/**
	 * The next delivery to send that is not among `claimed`; null when nothing is due. Retries that are due and
	 * untried deliveries take turns: neither keeps the other waiting.
	 */
	claim(now: number, claimed: ReadonlyMap<string, unknown>): Delivery | null {
		this.#untriedFirst = !this.#untriedFirst;
		const retry = () => this.#due("pending", now, claimed);
		const untried = () => this.#claimUntried(claimed);
		return this.#untriedFirst ? (untried() ?? retry()) : (retry() ?? untried());
	}

	/** As `dueDelivery`, without asking where nothing can be. */
	#due(which: Due, now: number, claimed: ReadonlyMap<string, unknown>): Delivery | null {
		return this.#dueAt(which, claimed) === null ? null : dueDelivery(this.#storage.sql, which, now, claimed);
	}

	#dueAt(which: Due, claimed: ReadonlyMap<string, unknown>): number | null {
		if (!this.#mayOwe[which]) return null;
		const at = nextDueAt(this.#storage.sql, which, claimed);
		// Those that are claimed are told when they are recorded.
		if (at === null) this.#mayOwe[which] = false;
		return at;
	}

	/** The next delivery whose answer is known and whose result event the queue has still to take. */
	claimUnpublished(now: number, claimed: ReadonlyMap<string, unknown>): Delivery | null {
		return this.#due("publishing", now, claimed);
	}

	/** Writes deliveries as they are now, all or none. */
	record(deliveries: readonly Delivery[]): void {
		for (const { state } of deliveries) {
			if (state.status === "pending" || state.status === "publishing") this.#mayOwe[state.status] = true;
		}
		if (!this.#recordFirst(deliveries)) this.#recordAll(deliveries);
		for (const open of this.#open.values()) for (const { id } of deliveries) open.delete(id);
		for (const [seq, open] of this.#open) {
			if (open.size > 0) continue;
			dropInbox(this.#storage.sql, seq);
			this.#open.delete(seq);
		}
		this.#unclaimed = this.#unclaimed.filter(
			({ decision }) => !deliveries.some(({ id }) => id === decision.deliveryId),
		);
	}

	/** The most frequent case, in one statement: a delivery of the inbox that has been tried for the first time. */
	#recordFirst(deliveries: readonly Delivery[]): boolean {
		const [delivery, another] = deliveries;
		if (delivery === undefined || another !== undefined) return false;
		const isNew = [...this.#open.values()].some((open) => open.has(delivery.id));
		return isNew && putNewDelivery(this.#storage.sql, delivery);
	}

	#recordAll(deliveries: readonly Delivery[]): void {
		this.#storage.transactionSync(() => {
			for (const delivery of deliveries) putDelivery(this.#storage.sql, delivery);
		});
	}

	find(id: string): Delivery | null {
		const { sql } = this.#storage;
		const tried = findDelivery(sql, id);
		if (tried === null) {
			const untried = findInInbox(sql, id);
			return untried ? toDelivery(untried) : this.refused.find(id);
		}
		if (tried.state.reason !== "unreadable" || tried.event !== null) return tried;
		return { ...tried, event: findSetAside(sql, id)?.event ?? null };
	}

	/** What is to come, `claimed` deliveries left out. */
	outlook(claimed: ReadonlyMap<string, unknown>): Outlook {
		const { sql } = this.#storage;
		return {
			retryAt: this.#dueAt("pending", claimed),
			publishAt: this.#dueAt("publishing", claimed),
			untried: this.#unclaimed.length > 0 || hasInbox(sql, this.#read),
			// Whatever the inbox holds is in the table when it has been sent, and nothing there goes before its sweep.
			empty: this.#last === 0 || (this.#hasSwept && this.#isEmpty()),
		};
	}

	#isEmpty(): boolean {
		const { sql } = this.#storage;
		return lastDeliveryPosition(sql) === 0 && !hasInbox(sql, 0) && this.refused.last === 0;
	}

	/** When `sweep` last forgot all it had to, ms since the epoch; 0: not since the object woke. */
	get sweptAt(): number {
		return this.#sweptAt;
	}

	/**
	 * Forgets finished deliveries of more than 30 days: once a day, however often it is called; more often while there
	 * is more to forget than one go takes, and while room is short.
	 */
	sweep(now: number): void {
		const { sql } = this.#storage;
		const everyMs = sql.databaseSize > this.#limits.bytes ? SWEEP_FULL_EVERY_MS : SWEEP_EVERY_MS;
		if (now - this.#sweptAt < everyMs) return;
		this.#hasSwept = true;
		this.refused.sweep(now - RETENTION_MS);
		const more = sweepDeliveries(sql, now - RETENTION_MS, this.#limits.bytes);
		this.#sweptAt = more ? now - SWEEP_EVERY_MS + BACKSTOP_MS : now;
	}

	#claimUntried(claimed: ReadonlyMap<string, unknown>): Delivery | null {
		for (;;) {
			const next = this.#unclaimed.shift();
			if (next !== undefined) return toDelivery(next);
			const row = nextInbox(this.#storage.sql, this.#read);
			if (row === null) return null;
			this.#read = row.seq;
			if ("unreadable" in row) {
				this.#setAside(row.seq, row.unreadable);
				continue;
			}
			this.#unclaimed = this.#withoutTwins(row.deliveries, claimed);
			const open = new Set(this.#unclaimed.map(({ decision }) => decision.deliveryId));
			if (open.size === 0) dropInbox(this.#storage.sql, row.seq);
			else this.#open.set(row.seq, open);
		}
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

	/** A message that the queue delivered twice can stand in the inbox twice. */
	#withoutTwins(deliveries: Incoming[], claimed: ReadonlyMap<string, unknown>): Incoming[] {
		const ids = deliveries.map(({ decision }) => decision.deliveryId);
		const seen = knownDeliveries(this.#storage.sql, ids);
		return deliveries.filter(({ decision: { deliveryId } }) => {
			if (seen.has(deliveryId) || claimed.has(deliveryId)) return false;
			seen.add(deliveryId);
			return true;
		});
	}
}

/** An untried delivery as it stands before its first attempt. */
function toDelivery({ position, event, decision }: Incoming): Delivery {
	return {
		position,
		id: decision.deliveryId,
		eventId: event.id,
		subscriptionId: decision.subscriptionId,
		subscriptionName: decision.subscriptionName,
		endpointRef: decision.endpointRef,
		state: fresh(timeOfPosition(position)),
		refused: decision.dead ?? null,
		attempts: [],
		event,
		result: null,
		resultOmitted: null,
		resultEvent: null,
		resultEventId: null,
	};
}
