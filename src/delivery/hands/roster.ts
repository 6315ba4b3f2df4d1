/**
 * Which hands may have work: those used since the roster was last empty. Only their number is
 * stored, with no row for a lease; a dispatcher that wakes asks each of them before it begins
 * anything.
 */
import { concurrently } from "../../objects/concurrently.ts";
import { MAX_TIMEOUT_MS } from "../rules/attempt.ts";
import type { Roll } from "./job.ts";
import { SLACK_MS } from "./leases.ts";

const KEY = "hands_used";
/** The object needs its six connections for other calls too. */
const CALLS_AT_ONCE = 3;

export class Roster {
	readonly #storage: DurableObjectStorage;
	#used: number;
	/** Hands of an earlier life that have not reported yet what they have. */
	readonly #unheard = new Set<number>();
	/** When none of them can have work any more, ms since the epoch. */
	readonly #overAt: number;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		this.#used = storage.kv.get<number>(KEY) ?? 0;
		for (let number = 1; number <= this.#used; number++) this.#unheard.add(number);
		this.#overAt = Date.now() + MAX_TIMEOUT_MS + SLACK_MS;
	}

	isRecovering(now: number): boolean {
		return this.#unheard.size > 0 && now < this.#overAt;
	}

	/** Writes only if more hands are used than before. */
	use(number: number): void {
		if (number <= this.#used) return;
		this.#storage.kv.put(KEY, number);
		this.#used = number;
	}

	/** No hand has work. */
	forget(): void {
		if (this.#used === 0) return;
		this.#used = 0;
		this.#storage.kv.delete(KEY);
	}

	/**
	 * Asks the hands that have not reported yet. `call` returns null for a hand that cannot be
	 * reached; `heard` returns whether it is now known what the hand has. Neither throws.
	 */
	async ask(
		call: (number: number) => Promise<Roll | null>,
		heard: (number: number, roll: Roll) => boolean,
	): Promise<void> {
		await concurrently([...this.#unheard], CALLS_AT_ONCE, async (number) => {
			const roll = await call(number);
			if (roll !== null && heard(number, roll)) this.#unheard.delete(number);
		});
	}
}
