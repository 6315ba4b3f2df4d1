/** A map whose entries are bounded by their bytes in total; the oldest entries are removed first. */

export class ByteCache<V> {
	readonly #entries = new Map<string, { value: V; bytes: number }>();
	readonly #capacity: number;
	#bytes = 0;

	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	get bytes(): number {
		return this.#bytes;
	}

	get(key: string): V | undefined {
		return this.#entries.get(key)?.value;
	}

	/** Adds an entry, unless it is larger than the whole cache. */
	set(key: string, value: V, bytes: number): void {
		this.#delete(key);
		if (bytes > this.#capacity) return;
		this.#entries.set(key, { value, bytes });
		this.#bytes += bytes;
		for (const oldest of this.#entries.keys()) {
			if (this.#bytes <= this.#capacity) break;
			this.#delete(oldest);
		}
	}

	#delete(key: string): void {
		this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
		this.#entries.delete(key);
	}
}
