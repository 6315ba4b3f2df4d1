/**
 * Whether the endpoint of a dispatcher is there, deleted or missing: what the database says, and what was told. Kept in
 * storage, because the database may have forgotten a deletion by the time it is asked, and because whoever reads a
 * delivery may wake the object for it.
 */
import { log } from "../log.ts";
import type { Settings } from "../store/settings.ts";
import type { DeliveryRecord } from "./records.ts";

const DELETED = "deleted";
const MISSING = "missing";
const DETAIL = "The endpoint is not in the database, and was not deleted: the delivery waits for it.";

export class Presence {
	readonly #storage: DurableObjectStorage;
	/** The API says that somebody has deleted the endpoint. */
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
	 * What counts. An endpoint that is in the database exists, even when its deletion was told: somebody
	 * has restored it.
	 */
	resolve(read: Settings): Settings {
		return read === "missing" && this.#isDeleted ? "deleted" : read;
	}

	/** Remembers what the database says now; writes only when that has changed. */
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

	/** Writes what is already set in memory, where it holds even when the write fails. Never throws. */
	#keep(key: string, value: boolean): void {
		try {
			this.#storage.kv.put(key, value);
		} catch (error) {
			log("endpoint.presence_unwritten", { key, value, error: String(error) });
		}
	}

	/** The delivery as people read it: one that waits for its endpoint says so. */
	explain(record: DeliveryRecord): DeliveryRecord {
		return this.#isMissing && record.status === "pending" ? { ...record, detail: DETAIL } : record;
	}
}
