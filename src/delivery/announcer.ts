/**
 * Tells what happens to an endpoint and its deliveries as operational events, when somebody asks for them: as long as
 * nobody does, nothing is written and nothing sent. What happens is noted at once and told once the settings say whether
 * anybody asks. What the queue refuses is offered once more at the next alarm.
 */
import type { Env } from "../env.ts";
import type { SluiceEvent } from "../events/event.ts";
import { log } from "../log.ts";
import { publishOperational } from "../operations/announce.ts";
import { buildOperationalEvent, isOperational } from "../operations/event.ts";
import {
	backlogFull,
	backlogHigh,
	deliveryDead,
	endpointRecovered,
	endpointStopped,
	type NamedEndpoint,
	type Occurrence,
} from "../operations/occurrence.ts";
import { Windows } from "../operations/windows.ts";
import type { Settings } from "../store/settings.ts";
import type { IncomingEvent } from "./ledger/incoming.ts";
import { type Fill, isHigh } from "./ledger/limits.ts";
import {
	type Announced,
	type Announcement,
	announcedSchema,
	hushed,
	nextAnnouncement,
	NOTHING_ANNOUNCED,
	type Stop,
} from "./rules/announced.ts";
import type { Delivery } from "./rules/delivery.ts";

const KEY = "announced";
/** Wait before what the queue has refused is offered once more, ms. */
const OFFER_AGAIN_MS = 10_000;
/** What waits to be told: one for each kind and reason of a window is much less. */
const MAX_NOTED = 50;

/** What has happened to an endpoint whose name the settings have. */
type Noted = (endpoint: NamedEndpoint) => Occurrence;

interface Waiting {
	occurrence: Noted;
	suppressed: number;
	at: number;
}

export class Announcer {
	readonly #storage: DurableObjectStorage;
	readonly #env: Env;
	readonly #windows = new Windows();
	#announced: Announced;
	/** What storage holds. */
	#stored: Announced;
	#noted: Waiting[] = [];
	/** Refused by the queue, and to be offered once more. */
	#refused: SluiceEvent[] = [];
	/** Not before, ms since the epoch. */
	#offerAgainAt = 0;
	#succeededAt = 0;
	#isHigh = false;

	constructor(storage: DurableObjectStorage, env: Env) {
		this.#storage = storage;
		this.#env = env;
		const kept = announcedSchema.safeParse(storage.kv.get(KEY));
		this.#announced = kept.success ? kept.data : NOTHING_ANNOUNCED;
		this.#stored = this.#announced;
	}

	/** A delivery has come to its end, and is not owed any more. */
	died({ id, eventId, subscriptionId, subscriptionName, state, event }: Delivery): void {
		// What ends because somebody has deleted something is no surprise.
		if (state.phase !== "dead" || state.reason === "deleted" || isOwn(event)) return;
		const dead = { id, eventId, subscriptionId, subscriptionName, reason: state.reason };
		this.#note(`dead:${state.reason}`, (endpoint) => deliveryDead(endpoint, dead));
	}

	/** The endpoint has taken a delivery. */
	succeeded({ event }: Delivery): void {
		if (!isOwn(event)) this.#succeededAt = Date.now();
	}

	/** It has been stopped for what it responded to a delivery. */
	stopped({ event }: Delivery, stop: Stop): void {
		if (isOwn(event)) this.#announced = hushed(this.#announced, stop);
	}

	/** Deliveries have come. `refused`: how many of them found no room. */
	came(items: readonly IncomingEvent[], refused: number, { owed, limit }: Fill): void {
		if (items.every(({ event }) => isOperational(event))) return;
		const wasHigh = this.#isHigh;
		this.#isHigh = isHigh({ owed, limit }, wasHigh);
		if (refused > 0) this.#note("full", (endpoint) => backlogFull(endpoint, refused, owed, limit));
		else if (this.#isHigh && !wasHigh) this.#note("high", (endpoint) => backlogHigh(endpoint, owed, limit));
	}

	/**
	 * Tells what is to be told by these settings, which are those of now. Returns when to come again, ms since the epoch;
	 * null: there is nothing left. Never throws.
	 */
	async tell(settings: Settings): Promise<number | null> {
		const now = Date.now();
		const noted = this.#noted;
		const again = now < this.#offerAgainAt ? [] : this.#refused;
		this.#noted = [];
		this.#refused = this.#refused.filter((event) => !again.includes(event));
		if (typeof settings !== "object" || !settings.isAnnouncing) {
			this.#refused = [];
			this.#announced = NOTHING_ANNOUNCED;
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
		this.#announced = announced;
		this.#keep();
		const events = noted.map(({ occurrence, suppressed, at }) =>
			buildOperationalEvent(occurrence(endpoint), suppressed, at),
		);
		if (tell !== null) events.push(buildOperationalEvent(toOccurrence(endpoint, tell), tell.suppressed, now));
		for (const event of again) await publishOperational(this.#env, event);
		for (const event of events) {
			if (await publishOperational(this.#env, event)) continue;
			this.#refused.push(event);
			this.#offerAgainAt = Date.now() + OFFER_AGAIN_MS;
		}
		return this.#refused.length > 0 ? this.#offerAgainAt : againAt;
	}

	#note(key: string, occurrence: Noted): void {
		const at = Date.now();
		const suppressed = this.#windows.happened(key, at);
		if (suppressed === null || this.#noted.length >= MAX_NOTED) return;
		this.#noted.push({ occurrence, suppressed, at });
	}

	/** In memory first: it counts whatever becomes of the write. */
	#keep(): void {
		if (this.#announced === this.#stored) return;
		this.#stored = this.#announced;
		try {
			if (this.#announced === NOTHING_ANNOUNCED) this.#storage.kv.delete(KEY);
			else this.#storage.kv.put(KEY, this.#announced);
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

/** Whether what happens with the delivery of this event is not told, because telling it could go round for ever. */
function isOwn(event: SluiceEvent | null): boolean {
	return event !== null && isOperational(event);
}
