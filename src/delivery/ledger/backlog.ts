/**
 * What a dispatcher owes: its inbox and its delivery table, as one place to put work, take it and look it up. It decides
 * nothing about a delivery.
 */
import { refusedBy } from "../../events/decision.ts";
import { timeOfPosition } from "../../events/position.ts";
import { migrate } from "../../objects/schema.ts";
import { Turns } from "../pick/turns.ts";
import type { Attempt } from "../records.ts";
import type { Delivery } from "../rules/delivery.ts";
import { fresh } from "../rules/state.ts";
import type { Enqueued } from "../rpc.ts";
import type { Outlook } from "../rules/wake.ts";
import { findInInbox, findInInboxAt, findSetAside, hasInbox, lastInboxPosition, waitingIn } from "./inbox.ts";
import type { Incoming, IncomingEvent } from "./incoming.ts";
import { Intake } from "./intake.ts";
import { Jobs } from "./jobs.ts";
import { type Fill, LIMITS, type Load } from "./limits.ts";
import { Newcomers } from "./newcomers.ts";
import { newestAttempts } from "./newest-attempts.ts";
import { type AllOwed, owedIn } from "./owed.ts";
import type { Refused } from "./refused.ts";
import { Retention } from "./retention.ts";
import { DISPATCHER_SCHEMA } from "./schema.ts";
import {
	type Due,
	dueDelivery,
	findDelivery,
	knownDeliveries,
	lastDeliveryPosition,
	nextDueAt,
	putDelivery,
	putNewDelivery,
} from "./table.ts";
import { Untried } from "./untried.ts";

type Claimed = ReadonlyMap<string, unknown>;

export class Backlog {
	readonly retention: Retention;
	readonly jobs: Jobs;
	readonly #storage: DurableObjectStorage;
	readonly #intake: Intake;
	readonly #untried: Untried;
	readonly #turns = new Turns();
	readonly #newcomers = new Newcomers();
	/** The last position given to a delivery. */
	#last: number;
	/** Whether the table may hold deliveries that are owed; false only where it has been looked. */
	readonly #mayOwe: Record<Due, boolean> = { pending: true, waiting: true, publishing: true };

	constructor(storage: DurableObjectStorage, limits: Load = LIMITS) {
		const { sql } = storage;
		this.#storage = storage;
		migrate(storage, DISPATCHER_SCHEMA);
		this.#untried = new Untried(storage);
		this.jobs = new Jobs(sql);
		this.#intake = new Intake(storage, limits, (now) => this.retention.sweep(now));
		this.retention = new Retention(sql, limits.bytes, this.refused);
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
		for (const id of ids) {
			const became = known.has(id) ? undefined : this.#newcomers.whatBecameOf(id);
			if (became === undefined) continue;
			known.add(id);
			if (became === "refused") full.push(id);
		}
		const storedAt = Math.min(...items.map((item) => item.storedAt ?? Number.POSITIVE_INFINITY));
		if (storedAt < Number.POSITIVE_INFINITY) {
			const wanted = new Set(ids.filter((id) => !known.has(id)));
			const waiting = waitingIn(sql, "inbox", wanted, storedAt);
			const refused = this.refused.among(wanted.difference(waiting), storedAt);
			for (const id of [...waiting, ...refused]) known.add(id);
			full.push(...refused);
			this.#newcomers.note(waiting, false);
			this.#newcomers.note(refused, true);
		}
		const unknown = items
			.map(({ event, decisions }) => ({
				event,
				// Known from here on, because one call may bring an event twice.
				decisions: decisions.filter(({ deliveryId }) => !known.has(deliveryId) && known.add(deliveryId)),
			}))
			.filter(({ decisions }) => decisions.length > 0);
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

	/** How many of so many deliveries there is room for. `now` in ms. */
	roomFor(wanted: number, now: number): number {
		return this.#intake.roomFor(wanted, now);
	}

	/** How full it is. `now` in ms. */
	fill(now: number): Fill {
		return this.#intake.fill(now);
	}

	/** Writes a delivery that was refused before, with its event. false when there is still no room for it. */
	readmit(delivery: Delivery, now: number): boolean {
		this.#mayOwe.pending = true;
		return this.#intake.readmit(delivery, now);
	}

	/** The next delivery that is due for this and not among `claimed`; null when there is none. */
	claim(due: Due, now: number, claimed: Claimed): Delivery | null {
		if (due !== "pending") return this.#due(due, now, claimed);
		return this.#turns.next(
			() => toDelivery(this.#untried.claim(claimed)),
			() => this.#due("pending", now, claimed),
		);
	}

	/** Writes deliveries as they are now, all or none. */
	record(deliveries: readonly Delivery[]): void {
		for (const delivery of deliveries) {
			const { state } = delivery;
			this.jobs.note(delivery);
			if ("dueAt" in state) this.#mayOwe[state.phase] = true;
		}
		const [delivery, another] = deliveries;
		// The most frequent case is one statement, which needs no transaction.
		if (delivery === undefined || another !== undefined || !this.#recordFirst(delivery)) {
			this.#recordAll(deliveries);
		}
		this.#untried.recorded(deliveries.map(({ id }) => id));
	}

	/** Writes what somebody has asked for: what was over may be owed again, beyond the limit too. */
	change(before: Delivery, after: Delivery): void {
		this.record([after]);
		if (!("dueAt" in before.state) && "dueAt" in after.state) this.#intake.owedAgain();
	}

	find(id: string): Delivery | null {
		const { sql } = this.#storage;
		const tried = findDelivery(sql, id);
		if (tried === null) return toDelivery(findInInbox(sql, id)) ?? this.refused.find(id);
		const { state, event } = tried;
		if (state.phase !== "dead" || state.reason !== "unreadable" || event !== null) return tried;
		return { ...tried, event: findSetAside(sql, id)?.event ?? null };
	}

	/** As `find`, by its position as well, which takes no search. */
	findAt(position: number, id: string): Delivery | null {
		const { sql } = this.#storage;
		return findDelivery(sql, id) ?? toDelivery(findInInboxAt(sql, position, id));
	}

	/** What is to come, `claimed` deliveries left out. */
	outlook(claimed: Claimed): Outlook {
		const { sql } = this.#storage;
		return {
			retryAt: this.#dueAt("pending", claimed),
			jobAt: this.#dueAt("waiting", claimed),
			publishAt: this.#dueAt("publishing", claimed),
			untried: this.#untried.hasMore(),
			// Whatever the inbox holds is in the table when it has been sent, and nothing there goes before its sweep.
			empty:
				this.#last === 0 || (this.retention.hasSwept && lastDeliveryPosition(sql) === 0 && !hasInbox(sql, 0)),
		};
	}

	/** All that is owed, for people. */
	owed(): AllOwed {
		return owedIn(this.#storage.sql, this.#untried.open);
	}

	/** Attempts of the newest deliveries that have been tried, bounded; in no order. */
	newestAttempts(): Attempt[] {
		return newestAttempts(this.#storage.sql);
	}

	/** As `dueDelivery`, without asking where nothing can be. */
	#due(which: Due, now: number, claimed: Claimed): Delivery | null {
		return this.#dueAt(which, claimed) === null ? null : dueDelivery(this.#storage.sql, which, now, claimed);
	}

	#dueAt(which: Due, claimed: Claimed): number | null {
		if (!this.#mayOwe[which]) return null;
		const at = nextDueAt(this.#storage.sql, which, claimed);
		// Those that are claimed are told when they are recorded.
		if (at === null) this.#mayOwe[which] = false;
		return at;
	}

	/** A delivery of the inbox that has been tried for the first time; false for any other, with nothing written. */
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

/** An untried delivery as it stands before its first attempt. */
function toDelivery(incoming: Incoming | null): Delivery | null {
	if (incoming === null) return null;
	const { position, event, decision } = incoming;
	return {
		position,
		id: decision.deliveryId,
		eventId: event.id,
		subscriptionId: decision.subscriptionId,
		subscriptionName: decision.subscriptionName,
		endpointRef: decision.endpointRef,
		state: fresh(timeOfPosition(position)),
		refused: refusedBy(decision),
		budget: decision.budget ?? null,
		attempts: [],
		event,
		result: null,
		resultOmitted: null,
		resultEvent: null,
		resultEventId: null,
	};
}
