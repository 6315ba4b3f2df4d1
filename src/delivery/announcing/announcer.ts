/**
 * Publishes operational events about an endpoint and its deliveries, if any subscription asks for them; otherwise
 * nothing is written or sent. Occurrences are noted at once and published when the settings show that there is a
 * subscriber: stored first, then offered to the queue until it accepts them (owed-announcements.ts).
 */
import type { Env } from "../../env.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { log } from "../../log.ts";
import { isOperational } from "../../operations/event.ts";
import {
	backlogFull,
	backlogHigh,
	deliveryDead,
	endpointRecovered,
	endpointStopped,
	type NamedEndpoint,
	type Occurrence,
} from "../../operations/occurrence.ts";
import { Windows } from "../../operations/windows.ts";
import type { Settings } from "../../store/views/settings.ts";
import type { IncomingEvent } from "../ledger/inbox/incoming.ts";
import { type Fill, isHigh } from "../ledger/inbox/limits.ts";
import {
	type Announced,
	type Announcement,
	announcedSchema,
	hushed,
	nextAnnouncement,
	NOTHING_ANNOUNCED,
	type Stop,
} from "../rules/announced.ts";
import { type OwedAnnouncement, OwedAnnouncements } from "./owed-announcements.ts";
import type { Delivery } from "../rules/delivery.ts";

const KEY = "announced";
/** Present while a high backlog is announced, so that it is not announced again after an eviction. */
const HIGH = "backlog_high";
/** The maximum number of noted occurrences, far more than one for each kind and reason per window. */
const MAX_NOTED = 50;

/** An occurrence at an endpoint; the name comes from the settings. */
type Noted = (endpoint: NamedEndpoint) => Occurrence;

interface Waiting {
	occurrence: Noted;
	suppressed: number;
	at: number;
}

export class Announcer {
	readonly #storage: DurableObjectStorage;
	readonly #owed: OwedAnnouncements;
	readonly #windows = new Windows();
	#announced: Announced;
	/** What is in storage. */
	#stored: Announced;
	#noted: Waiting[] = [];
	#succeededAt = 0;
	#isHigh: boolean;
	/** What is in storage. */
	#isHighStored: boolean;

	constructor(storage: DurableObjectStorage, env: Env) {
		this.#storage = storage;
		this.#owed = new OwedAnnouncements(storage, env);
		const kept = announcedSchema.safeParse(storage.kv.get(KEY));
		this.#announced = kept.success ? kept.data : NOTHING_ANNOUNCED;
		this.#stored = this.#announced;
		this.#isHigh = storage.kv.get(HIGH) === true;
		this.#isHighStored = this.#isHigh;
	}

	/** Whether events are stored that the queue has not accepted yet. */
	get isOwing(): boolean {
		return !this.#owed.isEmpty;
	}

	/** A delivery has ended without success and is no longer owed. */
	died({ id, eventId, subscriptionId, subscriptionName, state, event }: Delivery): void {
		// A delivery that ends because its subscription or endpoint was deleted is
		// expected.
		if (state.phase !== "dead" || state.reason === "deleted" || isOwn(event)) return;
		const dead = { id, eventId, subscriptionId, subscriptionName, reason: state.reason };
		this.#note(`dead:${state.reason}`, (endpoint) => deliveryDead(endpoint, dead));
	}

	/** The endpoint has accepted a delivery. */
	succeeded({ event }: Delivery): void {
		if (!isOwn(event)) this.#succeededAt = Date.now();
	}

	/** The endpoint was stopped because of its response to a delivery. */
	stopped({ event }: Delivery, stop: Stop): void {
		if (isOwn(event)) this.#announced = hushed(this.#announced, stop);
	}

	/** Deliveries have arrived. `refused`: how many of them did not fit. */
	came(items: readonly IncomingEvent[], refused: number, { owed, limit }: Fill): void {
		if (items.every(({ event }) => isOperational(event))) return;
		const wasHigh = this.#isHigh;
		this.#isHigh = isHigh({ owed, limit }, wasHigh);
		if (refused > 0) this.#note("full", (endpoint) => backlogFull(endpoint, refused, owed, limit));
		else if (this.#isHigh && !wasHigh) this.#note("high", (endpoint) => backlogHigh(endpoint, owed, limit));
	}

	/**
	 * Publishes what is pending, by the current `settings`. Returns when to call again, ms since the
	 * epoch; null: nothing is left. Never throws.
	 */
	async tell(settings: Settings): Promise<number | null> {
		const now = Date.now();
		const noted = this.#noted;
		this.#noted = [];
		if (typeof settings !== "object" || !settings.isAnnouncing) {
			this.#owed.clear();
			this.#announced = NOTHING_ANNOUNCED;
			// So that a high backlog is announced again if somebody subscribes later.
			this.#isHigh = false;
			this.#keep();
			return null;
		}
		const { endpoint } = settings;
		const { announced, tell, againAt } = nextAnnouncement(this.#announced, {
			status: endpoint.status,
			reason: endpoint.statusReason,
			succeededAt: this.#succeededAt,
			now,
		});
		const due = noted.map(({ occurrence, suppressed, at }): OwedAnnouncement => {
			return { occurrence: occurrence(endpoint), suppressed, at };
		});
		if (tell !== null) {
			due.push({ occurrence: toOccurrence(endpoint, tell), suppressed: tell.suppressed, at: now });
		}
		// Both are written together: what counts as announced is owed until the queue has it.
		this.#owed.add(due);
		this.#announced = announced;
		this.#keep();
		const offerAt = await this.#owed.offer();
		return offerAt === null ? againAt : Math.min(offerAt, againAt ?? offerAt);
	}

	#note(key: string, occurrence: Noted): void {
		const at = Date.now();
		const suppressed = this.#windows.happened(key, at);
		if (suppressed === null || this.#noted.length >= MAX_NOTED) return;
		this.#noted.push({ occurrence, suppressed, at });
	}

	/** Memory is updated first, so the state holds even if the write fails. */
	#keep(): void {
		const { kv } = this.#storage;
		const isChanged = this.#announced !== this.#stored;
		const isHighChanged = this.#isHigh !== this.#isHighStored;
		this.#stored = this.#announced;
		this.#isHighStored = this.#isHigh;
		try {
			if (isChanged && this.#announced === NOTHING_ANNOUNCED) kv.delete(KEY);
			else if (isChanged) kv.put(KEY, this.#announced);
			if (isHighChanged && !this.#isHigh) kv.delete(HIGH);
			else if (isHighChanged) kv.put(HIGH, true);
		} catch (error) {
			log("endpoint.announced_unwritten", { error: String(error) });
		}
	}
}

function toOccurrence(endpoint: NamedEndpoint, { type, stop }: Announcement): Occurrence {
	return type === "recovered"
		? endpointRecovered(endpoint, stop)
		: endpointStopped(endpoint, stop.status, stop.reason);
}

/**
 * Whether outcomes of this event's delivery are not announced, because announcing them could cause
 * an endless loop.
 */
function isOwn(event: SluiceEvent | null): boolean {
	return event !== null && isOperational(event);
}
