/**
 * Whether the endpoint of a dispatcher exists, was deleted or is missing: combines what the
 * database says with deletions that the API reported. Stored, because the database may no longer
 * have a record of the deletion when it is asked, and because a read of a delivery may wake the
 * object for a missing endpoint.
 */
import { log } from "../log.ts";
import type { Settings } from "../store/views/settings.ts";
import type { DeliveryRecord } from "./records.ts";

const DELETED = "deleted";
const MISSING = "missing";
const DETAIL = "The endpoint is missing from the database but was not deleted. The delivery waits for it.";

export class Presence {
	readonly #storage: DurableObjectStorage;
	/** The API has reported that the endpoint was deleted. */
	#isDeleted: boolean;
	#isMissing: boolean;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		this.#isDeleted = storage.kv.get<boolean>(DELETED) ?? false;
		this.#isMissing = storage.kv.get<boolean>(MISSING) ?? false;
	}

	markDeleted(): void {
		this.#isDeleted = true;
		this.#keep(DELETED, true);
	}

	/**
	 * Returns the settings that apply. An endpoint that is in the database exists even if its deletion
	 * was reported: it has been restored.
	 */
	resolve(read: Settings): Settings {
		return read === "missing" && this.#isDeleted ? "deleted" : read;
	}

	/** Remembers what the database says now; writes only if that has changed. */
	note(read: Settings): void {
		if (typeof read === "object" && this.#isDeleted) {
			this.#isDeleted = false;
			this.#keep(DELETED, false);
		}
		const isMissing = this.resolve(read) === "missing";
		if (isMissing === this.#isMissing) return;
		this.#isMissing = isMissing;
		this.#keep(MISSING, isMissing);
	}

	/**
	 * Writes a value that is already set in memory, where it holds even if the write fails. Never
	 * throws.
	 */
	#keep(key: string, value: boolean): void {
		try {
			this.#storage.kv.put(key, value);
		} catch (error) {
			log("endpoint.presence_unwritten", { key, value, error: String(error) });
		}
	}

	/** The delivery as the API shows it; if it waits for a missing endpoint, it says so. */
	explain(record: DeliveryRecord): DeliveryRecord {
		return this.#isMissing && record.status === "pending" ? { ...record, detail: DETAIL } : record;
	}
}
