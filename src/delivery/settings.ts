/**
 * The settings a dispatcher works by, as it last read them. D1 is the truth; what is here is trusted for seconds,
 * or for some minutes while D1 cannot be read.
 */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { stopEndpoint } from "../store/endpoints.ts";
import { loadSettings, type Settings } from "../store/settings.ts";
import { type Endpoint, isReadable } from "../store/records.ts";

/**
 * How long settings are trusted. A change through the API is told at once; this is for what went unheard. Every busy
 * dispatcher reads D1 as often, and D1 is what gives out first as a whole (`npm run bench -- scale`).
 */
const TRUSTED_MS = 30_000;
/** How long they serve while D1 fails; then deliveries wait. */
const TRUSTED_WITHOUT_D1_MS = 600_000;

export class SettingsCache {
	readonly #env: Env;
	/** undefined: never read. */
	#value: Settings | undefined;
	#readAt = 0;
	#isOutdated = true;
	/** Counts changes that were told, so that a read which began before one is not taken for the state after it. */
	#changes = 0;
	/** The read that is under way: whoever asks meanwhile, with nothing told since it began, gets what it finds. */
	#reading: { changes: number; settings: Promise<Settings> } | null = null;

	constructor(env: Env) {
		this.#env = env;
	}

	/** As last read; undefined when nothing has been read. */
	get last(): Settings | undefined {
		return this.#value;
	}

	/** Whether a change was told since `last` was read. */
	get isOutdated(): boolean {
		return this.#isOutdated;
	}

	/** Something has changed: the next `read` asks D1. */
	outdate(): void {
		this.#isOutdated = true;
		this.#changes += 1;
	}

	/** Throws when D1 fails and what is known is too old. */
	async read(endpointId: string): Promise<Settings> {
		const age = Date.now() - this.#readAt;
		if (this.#value !== undefined && !this.#isOutdated && age < TRUSTED_MS) return this.#value;
		if (this.#reading?.changes === this.#changes) return this.#reading.settings;
		const reading = { changes: this.#changes, settings: this.#load(endpointId, age) };
		this.#reading = reading;
		try {
			return await reading.settings;
		} finally {
			if (this.#reading === reading) this.#reading = null;
		}
	}

	async #load(endpointId: string, age: number): Promise<Settings> {
		const changes = this.#changes;
		try {
			const value = await loadSettings(this.#env, endpointId);
			logStop(endpointId, this.#value, value);
			this.#value = value;
			this.#readAt = Date.now();
			this.#isOutdated = changes !== this.#changes;
			return value;
		} catch (error) {
			if (this.#value === undefined || age > TRUSTED_WITHOUT_D1_MS) throw error;
			log("dispatcher.settings_kept", { endpoint_id: endpointId, error: String(error) });
			return this.#value;
		}
	}

	/**
	 * Stops the endpoint: here at once, then in D1. Not when it is stopped already, nor when its settings have changed
	 * since `sentWith`, as a response to the old ones says nothing about the new. `stopped` is called in the same turn as
	 * it stops here. Never throws.
	 */
	async stop(
		sentWith: Endpoint,
		status: "paused" | "disabled",
		reason: string,
		stopped: () => void = () => {},
	): Promise<void> {
		if (!this.#stopHere(sentWith, status, reason)) return;
		stopped();
		try {
			if (await stopEndpoint(this.#env, sentWith, status, reason)) {
				log("endpoint.stopped", { ...namesOf(sentWith), status, reason });
			} else {
				this.outdate();
			}
		} catch (error) {
			// The settings are read again in a while; they say "active", and the next response stops it once more.
			log("endpoint.unwritten", { ...namesOf(sentWith), status, error: String(error) });
		}
	}

	/** false when there is nothing to stop. */
	#stopHere(sentWith: Endpoint, status: "paused" | "disabled", statusReason: string): boolean {
		const current = this.#value;
		if (typeof current !== "object" || current.endpoint.status !== "active") return false;
		const { revision, updatedAt } = current.endpoint;
		if (revision !== sentWith.revision || updatedAt !== sentWith.updatedAt) return false;
		this.#value = { ...current, endpoint: { ...current.endpoint, status, statusReason } };
		return true;
	}
}

/** Logs once why nothing is sent to an endpoint that nobody has stopped. */
function logStop(endpointId: string, former: Settings | undefined, now: Settings): void {
	if (now === "missing" && former !== "missing") {
		log("dispatcher.endpoint_missing", { endpoint_id: endpointId });
	}
	if (isUnreadable(now) && !isUnreadable(former)) {
		log("dispatcher.secret_unreadable", { endpoint_id: endpointId });
	}
}

function isUnreadable(settings: Settings | undefined): boolean {
	return typeof settings === "object" && !isReadable(settings.endpoint);
}

function namesOf({ id, name, version }: Endpoint): Record<string, string> {
	return { endpoint_id: id, endpoint: `${name}@${version}` };
}
