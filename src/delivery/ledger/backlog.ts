/**
 * The deliveries of a dispatcher: its inbox and its delivery table behind one interface to add
 * work, claim it and look it up. It makes no decisions about deliveries.
 */
import { migrate } from "../../objects/schema.ts";
import { Turns } from "../pick/turns.ts";
import type { Attempt, DeliveryFilters, DeliveryStatus } from "../records.ts";
import type { Delivery } from "../rules/delivery.ts";
import type { Enqueued } from "../rpc.ts";
import type { Outlook } from "../rules/wake.ts";
import { sortOut } from "./inbox/arrivals.ts";
import { hasInbox, lastInboxPosition, nextInbox } from "./inbox/inbox.ts";
import { findInInbox, findInInboxAt, findSetAside } from "./inbox/inbox-search.ts";
import type { IncomingEvent } from "./inbox/incoming.ts";
import { Intake } from "./inbox/intake.ts";
import { Jobs } from "./table/jobs.ts";
import { type Fill, LIMITS, type Load } from "./inbox/limits.ts";
import { type Matching, matchingRows, type Stretch } from "./queries/matching.ts";
import { Newcomers } from "./inbox/newcomers.ts";
import { newestAttempts } from "./table/newest-attempts.ts";
import { type AllOwed, owedIn } from "./queries/owed.ts";
import type { Refused } from "./refused/refused.ts";
import { Retention } from "./table/retention.ts";
import { DISPATCHER_SCHEMA } from "./schema.ts";
import { DueTried } from "./table/due.ts";
import {
	type Due,
	findDelivery,
	knownDeliveries,
	lastDeliveryPosition,
	putDelivery,
	putNewDelivery,
} from "./table/table.ts";
import { Untried } from "./inbox/untried.ts";
import { toDelivery, untriedBehind, type UntriedRow } from "./inbox/untried-deliveries.ts";

type Claimed = ReadonlyMap<string, unknown>;

export class Backlog {
	readonly retention: Retention;
	readonly jobs: Jobs;
	readonly #storage: DurableObjectStorage;
	readonly #intake: Intake;
	readonly #untried: Untried;
	readonly #due: DueTried;
	readonly #turns = new Turns();
	readonly #newcomers = new Newcomers();
	/** The last position given to a delivery. */
	#last: number;

	constructor(storage: DurableObjectStorage, limits: Load = LIMITS) {
		const { sql } = storage;
		this.#storage = storage;
		migrate(storage, DISPATCHER_SCHEMA);
		this.#untried = new Untried(storage);
		this.#due = new DueTried(sql);
		this.jobs = new Jobs(sql);
		this.#intake = new Intake(storage, limits, (now) => this.retention.sweep(now));
		this.retention = new Retention(sql, limits.bytes, this.refused);
		this.#last = Math.max(lastInboxPosition(sql), lastDeliveryPosition(sql), this.refused.last);
	}

	/** Deliveries that did not fit. */
	get refused(): Refused {
		return this.#intake.refused;
	}

	/**
	 * Adds deliveries, except those that are already here (tried ones, and untried ones of events
	 * received before) and those that do not fit now or did not fit when they first arrived.
	 */
	add(items: readonly IncomingEvent[], now: number): Enqueued {
		const { sql } = this.#storage;
		const { unknown, full } = sortOut(items, { sql, refused: this.refused, newcomers: this.#newcomers });
		if (unknown.length === 0) return { full };
		const { refused, areRefusalsKept, last } = this.#intake.take(unknown, this.#last, now);
		this.#last = last;
		const offered = new Set(
			unknown.flatMap(({ decisions }) => decisions.map(({ deliveryId }) => deliveryId)),
		);
		this.#newcomers.note(offered.difference(new Set(refused)), false);
		if (areRefusalsKept) this.#newcomers.note(refused, true);
		return { full: [...full, ...refused] };
	}

	/** How many of `wanted` deliveries fit. `now` in ms. */
	roomFor(wanted: number, now: number): number {
		return this.#intake.roomFor(wanted, now);
	}

	/** How full the backlog is. `now` in ms. */
	fill(now: number): Fill {
		return this.#intake.fill(now);
	}

	/**
	 * Writes a delivery that was refused earlier, with its event. false if there is still no room for
	 * it.
	 */
	readmit(delivery: Delivery, now: number): boolean {
		this.#due.mayBe("pending");
		return this.#intake.readmit(delivery, now);
	}

	/** The next delivery that is due for `due` and not in `claimed`; null if there is none. */
	claim(due: Due, now: number, claimed: Claimed): Delivery | null {
		if (due !== "pending") return this.#due.next(due, now, claimed);
		return this.#turns.next(
			() => toDelivery(this.#untried.claim(claimed)),
			() => this.#due.next("pending", now, claimed),
		);
	}

	/** Writes deliveries as they are now, all or none. */
	record(deliveries: readonly Delivery[]): void {
		for (const delivery of deliveries) {
			const { state } = delivery;
			this.jobs.note(delivery);
			if ("dueAt" in state) this.#due.mayBe(state.phase);
		}
		const [delivery, another] = deliveries;
		// The most frequent case is one statement, which needs no transaction.
		if (delivery === undefined || another !== undefined || !this.#recordFirst(delivery)) {
			this.#recordAll(deliveries);
		}
		this.#untried.recorded(deliveries.map(({ id }) => id));
	}

	/** Like `change`, but for many deliveries at once: all or none. */
	changeAll(changes: readonly { before: Delivery; after: Delivery }[]): void {
		if (changes.length === 0) return;
		this.record(changes.map(({ after }) => after));
		for (const { before, after } of changes) {
			if (!("dueAt" in before.state) && "dueAt" in after.state) this.#intake.owedAgain();
		}
	}

	/**
	 * Writes a change that the API asked for: a delivery that had ended may be owed again, even
	 * beyond the limit.
	 */
	change(before: Delivery, after: Delivery): void {
		this.changeAll([{ before, after }]);
	}

	find(id: string): Delivery | null {
		const { sql } = this.#storage;
		const tried = findDelivery(sql, id);
		if (tried === null) return toDelivery(findInInbox(sql, id)) ?? this.refused.find(id);
		const { state, event } = tried;
		if (state.phase !== "dead" || state.reason !== "unreadable" || event !== null) return tried;
		return { ...tried, event: findSetAside(sql, id)?.event ?? null };
	}

	/** Like `find`, but with a known position, so that no search is needed. */
	findAt(position: number, id: string): Delivery | null {
		const { sql } = this.#storage;
		return findDelivery(sql, id) ?? toDelivery(findInInboxAt(sql, position, id));
	}

	/** The last position that a delivery has here. */
	get lastPosition(): number {
		return this.#last;
	}

	/**
	 * Untried deliveries after a position, from one row of the inbox; none if the row has been read in the meantime,
	 * or if only a newer release can read it. null: there is no further row.
	 */
	untriedBehind(after: number): UntriedRow | null {
		return untriedBehind(this.#storage.sql, after);
	}

	/** Deletes an inbox row if all its deliveries have their own rows. */
	dropIfFinished(seq: number): void {
		const { sql } = this.#storage;
		const row = nextInbox(sql, seq - 1);
		if (row === null || row.seq !== seq || !("deliveries" in row)) return;
		const ids = row.deliveries.map(({ decision }) => decision.deliveryId);
		if (knownDeliveries(sql, ids).size === new Set(ids).size) this.#untried.finished(seq);
	}

	/** Matching rows of the delivery table with one of these statuses, oldest first. */
	matching(
		filters: DeliveryFilters,
		statuses: readonly Exclude<DeliveryStatus, "in_flight">[],
		stretch: Stretch,
		limit: number,
	): Matching<{ seq: number; id: string }> {
		return matchingRows(this.#storage.sql, filters, statuses, stretch, limit);
	}

	/** Which of these ids have their own row. */
	known(ids: readonly string[]): Set<string> {
		return knownDeliveries(this.#storage.sql, ids);
	}

	/** A delivery that has its own row. */
	findTried(id: string): Delivery | null {
		return findDelivery(this.#storage.sql, id);
	}

	/** When the next work is due, without `claimed` deliveries. */
	outlook(claimed: Claimed): Outlook {
		const { sql } = this.#storage;
		return {
			retryAt: this.#due.at("pending", claimed),
			jobAt: this.#due.at("waiting", claimed),
			publishAt: this.#due.at("publishing", claimed),
			untried: this.#untried.hasMore(),
			// Anything in the inbox will be in the table once it has been sent, and nothing in the table is
			// deleted before its sweep.
			empty:
				this.#last === 0 || (this.retention.hasSwept && lastDeliveryPosition(sql) === 0 && !hasInbox(sql, 0)),
		};
	}

	/** Everything that is owed, for the API. */
	owed(): AllOwed {
		return owedIn(this.#storage.sql, this.#untried.open);
	}

	/** Attempts of the newest deliveries that have been tried, bounded; in no order. */
	newestAttempts(): Attempt[] {
		return newestAttempts(this.#storage.sql);
	}

	/**
	 * Records a delivery of the inbox after its first attempt; false for any other, with nothing
	 * written.
	 */
	#recordFirst(delivery: Delivery): boolean {
		return this.#untried.has(delivery.id) && putNewDelivery(this.#storage.sql, delivery);
	}

	#recordAll(deliveries: readonly Delivery[]): void {
		this.#storage.transactionSync(() => {
			for (const delivery of deliveries) {
				if (!this.#recordFirst(delivery)) putDelivery(this.#storage.sql, delivery);
			}
		});
	}
}
