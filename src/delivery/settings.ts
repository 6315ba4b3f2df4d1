/**
 * The settings that a dispatcher works by, as last read from D1. D1 is the source of truth; the
 * copy is used for seconds, or for some minutes while D1 cannot be read.
 */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { stopEndpoint } from "../store/resources/endpoints.ts";
import { loadSettings, type Settings } from "../store/views/settings.ts";
import { type Endpoint, isReadable } from "../store/records.ts";

/**
 * How long settings are used before they are read again. The API reports changes at once; this
 * covers reports that got lost. Every busy dispatcher reads D1 at this interval, and D1 is the
 * first part of the system to reach its limit (`npm run bench -- scale`).
 */
const TRUSTED_MS = 30_000;
/** How long settings are used while D1 fails; after that, deliveries wait. */
const TRUSTED_WITHOUT_D1_MS = 600_000;

export class SettingsCache {
	readonly #env: Env;
	/** undefined: never read. */
	#value: Settings | undefined;
	#readAt = 0;
	#isOutdated = true;
	#isFailing = false;
	/**
	 * Counts reported changes, so that a read that began before a change is not taken for the state
	 * after it.
	 */
	#changes = 0;
	/**
	 * The read in progress. Calls that arrive while it runs share its result, unless a change was reported since it
	 * began.
	 */
	#reading: { changes: number; settings: Promise<Settings> } | null = null;

	constructor(env: Env) {
		this.#env = env;
	}

	/** As last read; undefined if nothing has been read. */
	get last(): Settings | undefined {
		return this.#value;
	}

	/** Whether a change was reported since `last` was read. */
	get isOutdated(): boolean {
		return this.#isOutdated;
	}

	/** The last read failed, and the copy is too old to use: nothing is sent. */
	get isFailing(): boolean {
		return this.#isFailing;
	}

	/** Something has changed: the next `read` asks D1. */
	outdate(): void {
		this.#isOutdated = true;
		this.#changes += 1;
	}

	/** Throws if D1 fails and the copy is too old. */
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
			this.#isFailing = false;
			this.#isOutdated = changes !== this.#changes;
			return value;
		} catch (error) {
			this.#isFailing = this.#value === undefined || age > TRUSTED_WITHOUT_D1_MS;
			if (this.#value === undefined || this.#isFailing) throw error;
			log("dispatcher.settings_kept", { endpoint_id: endpointId, error: String(error) });
			return this.#value;
		}
	}

	/**
	 * Stops the endpoint: first in memory, then in D1. Does nothing if it is already stopped, or if
	 * its settings have changed since `sentWith`, because a response to the old settings says nothing
	 * about the new ones. `stopped` is called in the same turn as the change in memory. Never throws.
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
			// The settings are read again later; they will say "active", and the next such response stops
			// the endpoint again.
			log("endpoint.unwritten", { ...namesOf(sentWith), status, error: String(error) });
		}
	}

	/** false if there is nothing to stop. */
	#stopHere(sentWith: Endpoint, status: "paused" | "disabled", statusReason: string): boolean {
		const current = this.#value;
		if (typeof current !== "object" || current.endpoint.status !== "active") return false;
		const { revision, updatedAt } = current.endpoint;
		if (revision !== sentWith.revision || updatedAt !== sentWith.updatedAt) return false;
		this.#value = { ...current, endpoint: { ...current.endpoint, status, statusReason } };
		return true;
	}
}

/** Logs once why nothing is sent to an endpoint that has not been stopped. */
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
