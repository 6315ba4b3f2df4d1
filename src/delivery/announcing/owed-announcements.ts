/**
 * Operational events that a dispatcher still has to publish: stored before they are offered to the
 * queue, and removed when the queue has accepted them. Publishing one twice does no harm, because
 * its id follows from its contents.
 */
import * as z from "zod";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { publishOperational } from "../../operations/announce.ts";
import { buildOperationalEvent } from "../../operations/event.ts";
import { OPERATIONAL_TYPES } from "../../operations/occurrence.ts";

const KEY = "announcements_owed";
/** The delay before events that the queue refused are offered again, ms. */
const OFFER_AGAIN_MS = 10_000;
/** If the queue refuses for longer, the oldest are lost: about ten events of each kind. */
const MAX_OWED = 100;

const owedSchema = z.object({
	occurrence: z.object({
		type: z.enum(OPERATIONAL_TYPES),
		key: z.string(),
		subject: z.string(),
		data: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
	}),
	suppressed: z.number(),
	/** When it happened, ms since the epoch. */
	at: z.number(),
});
export type OwedAnnouncement = z.output<typeof owedSchema>;

export class OwedAnnouncements {
	readonly #storage: DurableObjectStorage;
	readonly #env: Env;
	#owed: OwedAnnouncement[];
	#isOffering = false;
	/** Nothing is offered before this time, ms since the epoch. */
	#offerAgainAt = 0;

	constructor(storage: DurableObjectStorage, env: Env) {
		this.#storage = storage;
		this.#env = env;
		const kept = z
			.array(z.unknown())
			.catch([])
			.parse(storage.kv.get(KEY) ?? []);
		this.#owed = kept.flatMap((item) => owedSchema.safeParse(item).data ?? []);
	}

	get isEmpty(): boolean {
		return this.#owed.length === 0;
	}

	/** Never throws: what cannot be written is kept in memory. */
	add(items: readonly OwedAnnouncement[]): void {
		if (items.length === 0) return;
		const all = [...this.#owed, ...items];
		for (const { occurrence, at } of all.slice(0, -MAX_OWED)) {
			const { type, subject } = occurrence;
			log("operational.lost", { type, subject, error: "the queue has refused too many", at });
		}
		this.#set(all.slice(-MAX_OWED));
	}

	clear(): void {
		if (!this.isEmpty) this.#set([]);
	}

	/**
	 * Offers what is owed to the queue, the oldest first, until the queue refuses one. Returns when to call again, ms
	 * since the epoch; null: nothing is left, or another call is in progress. Never throws.
	 */
	async offer(): Promise<number | null> {
		if (this.isEmpty || this.#isOffering) return null;
		if (Date.now() < this.#offerAgainAt) return this.#offerAgainAt;
		this.#isOffering = true;
		const accepted = new Set<OwedAnnouncement>();
		let isRefused = false;
		try {
			for (let next = this.#owed[0]; next !== undefined && !isRefused;) {
				const { occurrence, suppressed, at } = next;
				const event = buildOperationalEvent(occurrence, suppressed, at);
				if (await publishOperational(this.#env, event)) accepted.add(next);
				else isRefused = true;
				next = this.#owed.find((item) => !accepted.has(item));
			}
		} finally {
			this.#isOffering = false;
		}
		if (accepted.size > 0) this.#set(this.#owed.filter((item) => !accepted.has(item)));
		if (!isRefused || this.isEmpty) return null;
		this.#offerAgainAt = Date.now() + OFFER_AGAIN_MS;
		return this.#offerAgainAt;
	}

	/** Memory is updated first, so the state holds even if the write fails. */
	#set(owed: OwedAnnouncement[]): void {
		this.#owed = owed;
		try {
			if (owed.length === 0) this.#storage.kv.delete(KEY);
			else this.#storage.kv.put(KEY, owed);
		} catch (error) {
			log("endpoint.announced_unwritten", { error: String(error) });
		}
	}
}
