/** The one alarm of a Durable Object: mostly moved only to an earlier moment, because moving it costs a row. */

export class Alarm {
	readonly #storage: DurableObjectStorage;
	/** ms since the epoch; null: none is set. */
	#at: number | null = null;

	/** Reads what is set before the object takes its first call. */
	constructor(ctx: DurableObjectState) {
		this.#storage = ctx.storage;
		void ctx.blockConcurrencyWhile(async () => {
			this.#at = await ctx.storage.getAlarm();
		});
	}

	/** It has gone off, and is not set any more. */
	goneOff(): void {
		this.#at = null;
	}

	/** Moves it, to a later moment too; null: there is to be none. */
	async move(at: number | null): Promise<void> {
		await this.#set(at);
	}

	/** An alarm that is set for an earlier moment stays: waking early costs nothing. */
	async arm(at: number): Promise<void> {
		if (this.#at !== null && this.#at <= at) return;
		await this.#set(at);
	}

	async #set(at: number | null): Promise<void> {
		this.#at = at;
		try {
			await (at === null ? this.#storage.deleteAlarm() : this.#storage.setAlarm(at));
		} catch (error) {
			// What is set now is not known: the next one to ask for an alarm gets it.
			this.#at = null;
			throw error;
		}
	}
}
