/**
 * The gates of one endpoint with their state: in memory, and what has to outlast an eviction in storage. An object that
 * waits out a Retry-After is idle, and the idle ones are evicted. No rule is in here; see gates/.
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
/** Where release 0.1 kept until when nothing is sent, ms since the epoch. */
const FORMER_HOLD = "hold_until";

export class Gatekeeper {
	readonly #storage: DurableObjectStorage;
	#states: GateStates;
	/** As JSON, what storage holds. */
	#stored: string;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		const kept = storage.kv.get(KEY);
		const states = restoreGates(kept);
		const askedUntil = kept === undefined ? (storage.kv.get<number>(FORMER_HOLD) ?? 0) : 0;
		this.#states = askedUntil > 0 ? { ...states, hold: { ...states.hold, askedUntil } } : states;
		this.#stored = JSON.stringify(durableOf(this.#states));
	}

	/** How many exchanges the endpoint has been found to take at once; null: nothing is known below `max_concurrency`. */
	get limit(): number | null {
		return this.#states.capacity.limit;
	}

	admit(at: Moment): Admitted {
		return admit(this.#states, at);
	}

	/** Returns the delivery that is to blame for its own failures after all, or null. Never throws. */
	note(event: EndpointEvent, at: Moment): string | null {
		const { states, blamed } = after(this.#states, event, at);
		this.#states = states;
		this.#keep();
		return blamed;
	}

	/** In memory first: it counts whatever becomes of the write. */
	#keep(): void {
		const parts = durableOf(this.#states);
		const text = JSON.stringify(parts);
		if (text === this.#stored) return;
		this.#stored = text;
		try {
			// Open gates need no row; the former hold, which they replace, goes with the first change.
			if (text === OPEN) this.#storage.kv.delete(KEY);
			else this.#storage.kv.put(KEY, parts);
			if (this.#storage.kv.get(FORMER_HOLD) !== undefined) this.#storage.kv.delete(FORMER_HOLD);
		} catch (error) {
			log("endpoint.gates_unwritten", { error: String(error) });
		}
	}
}

const OPEN = JSON.stringify(durableOf(openGates));
