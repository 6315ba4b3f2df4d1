/**
 * The gates of one endpoint with their state: in memory, and in storage for the part that must
 * survive an eviction. An object that waits for a Retry-After is idle, and idle objects are
 * evicted. The rules are in gates/.
 */
import { log } from "../log.ts";
import {
	type Admitted,
	admit,
	after,
	durableOf,
	type EndpointEvent,
	type GateStates,
	type Moment,
	openGates,
	restoreGates,
} from "./gates/gates.ts";

const KEY = "gates";
/** Key under which release 0.1 stored the end of a hold, ms since the epoch. */
const FORMER_HOLD = "hold_until";

export class Gatekeeper {
	readonly #storage: DurableObjectStorage;
	#states: GateStates;
	/** What is in storage, as JSON. */
	#stored: string;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		const kept = storage.kv.get(KEY);
		const states = restoreGates(kept);
		const askedUntil = kept === undefined ? (storage.kv.get<number>(FORMER_HOLD) ?? 0) : 0;
		this.#states = askedUntil > 0 ? { ...states, hold: { ...states.hold, askedUntil } } : states;
		this.#stored = JSON.stringify(durableOf(this.#states));
	}

	/**
	 * How many exchanges the endpoint has been found to take at once; null: no limit below
	 * `max_concurrency` is known.
	 */
	get limit(): number | null {
		return this.#states.capacity.limit;
	}

	admit(at: Moment): Admitted {
		return admit(this.#states, at);
	}

	/**
	 * Records an event. Returns the id of a delivery that turned out to cause its own failures, or
	 * null. Never throws.
	 */
	note(event: EndpointEvent, at: Moment): string | null {
		const { states, blamed } = after(this.#states, event, at);
		this.#states = states;
		this.#keep();
		return blamed;
	}

	/** Memory is updated first, so the state holds even if the write fails. */
	#keep(): void {
		const parts = durableOf(this.#states);
		const text = JSON.stringify(parts);
		if (text === this.#stored) return;
		this.#stored = text;
		try {
			// Open gates need no row. The old hold key, which the gates replace, is deleted with the
			// first change.
			if (text === OPEN) this.#storage.kv.delete(KEY);
			else this.#storage.kv.put(KEY, parts);
			if (this.#storage.kv.get(FORMER_HOLD) !== undefined) this.#storage.kv.delete(FORMER_HOLD);
		} catch (error) {
			log("endpoint.gates_unwritten", { error: String(error) });
		}
	}
}

const OPEN = JSON.stringify(durableOf(openGates));
