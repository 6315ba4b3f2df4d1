/**
 * Until when nothing is sent to an endpoint, because it asked for that. Kept in storage: an object that waits out a
 * Retry-After is idle, and the idle ones are evicted.
 */
import { log } from "../log.ts";

const KEY = "hold_until";

export class Hold {
	readonly #storage: DurableObjectStorage;
	#until: number;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		this.#until = storage.kv.get<number>(KEY) ?? 0;
	}

	/** ms since the epoch. */
	get until(): number {
		return this.#until;
	}

	/** A shorter hold than the one that stands changes nothing. `endpointId` is for the log. */
	extend(until: number, endpointId: string | null): void {
		if (until > this.#until) this.#set(until, endpointId);
	}

	/** Somebody has seen to the endpoint. */
	lift(endpointId: string | null): void {
		this.#set(0, endpointId);
	}

	/** In memory first: it holds whatever becomes of the write. Never throws. */
	#set(until: number, endpointId: string | null): void {
		this.#until = until;
		try {
			this.#storage.kv.put(KEY, until);
		} catch (error) {
			log("endpoint.hold_unwritten", { endpoint_id: endpointId, error: String(error) });
		}
	}
}
