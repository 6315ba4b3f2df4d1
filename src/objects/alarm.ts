/** The alarm of a Durable Object. It is mostly moved only to earlier times, because each change costs a row write. */

export class Alarm {
	readonly #storage: DurableObjectStorage;
	/** ms since the epoch. null: no alarm is set. */
	#at: number | null = null;

	/** Reads the current alarm before the object handles its first call. */
	constructor(ctx: DurableObjectState) {
		this.#storage = ctx.storage;
		void ctx.blockConcurrencyWhile(async () => {
			this.#at = await ctx.storage.getAlarm();
		});
	}

	/** Notes that the alarm has fired and is no longer set. */
	goneOff(): void {
		this.#at = null;
	}

	/** Sets the alarm to any time, including a later one. null deletes it. */
	async move(at: number | null): Promise<void> {
		await this.#set(at);
	}

	/** Sets the alarm unless an earlier one is set: waking early costs nothing. */
	async arm(at: number): Promise<void> {
		if (this.#at !== null && this.#at <= at) return;
		await this.#set(at);
	}

	async #set(at: number | null): Promise<void> {
		this.#at = at;
		try {
			await (at === null ? this.#storage.deleteAlarm() : this.#storage.setAlarm(at));
		} catch (error) {
			// The state of the alarm is unknown, so the next caller sets it again.
			this.#at = null;
			throw error;
		}
	}
}
