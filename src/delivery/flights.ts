/**
 * Deliveries in progress: claimed by a task, or finished and not yet written. A delivery stays
 * claimed until its outcome is written, so that a failed write can never cause it to be sent again.
 */
import type { EventData } from "../events/event.ts";
import { log } from "../log.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { idsOf } from "./log-lines.ts";
import type { Delivery } from "./rules/delivery.ts";
import type { TaskName } from "./tasks/task.ts";

export class Flights {
	readonly #backlog: Pick<Backlog, "record" | "jobs">;
	/**
	 * Called when a delivery that is still owed has been written and is no longer
	 * claimed.
	 */
	readonly #released: () => void;
	readonly #claimed = new Map<string, Delivery>();
	readonly #tasks = new Map<string, TaskName>();
	readonly #counts: Record<TaskName, number> = { send: 0, poll: 0, publish: 0 };
	/** When the exchange of each delivery being sent began, ms since the epoch. */
	readonly #sentAt = new Map<string, number>();
	readonly #sizes = new Map<string, number>();
	#bytes = 0;
	/** Finished, to be written together with others that finish at the same time. Their current state is in `claimed`. */
	#ended = new Set<string>();
	/** Their outcome is only in `claimed`, because it could not be written. */
	readonly #unwritten = new Set<string>();
	/** Deliveries whose response is being judged. */
	readonly #settling = new Set<string>();
	/** Callbacks that are ending a delivery whose request is in progress. */
	readonly #telling = new Map<string, Promise<unknown>>();
	readonly #waiters = new Map<string, (() => void)[]>();

	constructor(backlog: Pick<Backlog, "record" | "jobs">, released: () => void) {
		this.#backlog = backlog;
		this.#released = released;
	}

	/** By id, as each was when claimed, or as a late outcome has changed it. */
	get claimed(): ReadonlyMap<string, Delivery> {
		return this.#claimed;
	}

	/**
	 * Those whose outcome is not known yet, or not written. One that a callback has ended, while its request is still in
	 * progress, is not among them: its stored row says how it ended.
	 */
	get inFlight(): ReadonlyMap<string, Delivery> {
		return new Map(
			[...this.#claimed].filter(([id, { state }]) => !("finishedAt" in state && this.#isReplaced(id))),
		);
	}

	#isReplaced(id: string): boolean {
		return this.#tasks.has(id) && !this.#unwritten.has(id);
	}

	/** How many deliveries the task has in progress. */
	count(task: TaskName): number {
		return this.#counts[task];
	}

	/** Bytes of the events in memory, and of results that wait to be written with them. */
	get bytes(): number {
		return this.#bytes;
	}

	begin(delivery: Delivery, task: TaskName): void {
		this.#weigh(delivery);
		this.#unwritten.delete(delivery.id);
		this.#claimed.set(delivery.id, delivery);
		this.#tasks.set(delivery.id, task);
		this.#counts[task] += 1;
	}

	/** The exchange that sends the delivery has begun. */
	sent(id: string, at: number): void {
		if (this.#tasks.get(id) === "send") this.#sentAt.set(id, at);
	}

	/** Whether the delivery is claimed for sending and the response to its request has not arrived yet. */
	isSending(id: string): boolean {
		return this.#tasks.get(id) === "send" && !this.#settling.has(id);
	}

	/** Whether the outcome of the delivery is known here but could not be written. */
	isUnwritten(id: string): boolean {
		return this.#unwritten.has(id);
	}

	/** Runs `work`, with which a callback ends a delivery that is being sent. The response is judged only afterwards. */
	async telling<T>(id: string, work: () => Promise<T>): Promise<T> {
		const told = work();
		this.#telling.set(id, told);
		try {
			return await told;
		} finally {
			this.#telling.delete(id);
		}
	}

	/** Resolves when no callback is ending the delivery while it is being sent. Never throws. */
	async whenTold(id: string): Promise<void> {
		await this.#telling.get(id)?.catch(() => undefined);
	}

	/** Like `whenTold`, but call it once there is a response to judge: later callbacks then wait until it is judged. */
	async settling(id: string): Promise<void> {
		if (this.#tasks.has(id)) this.#settling.add(id);
		await this.whenTold(id);
	}

	/**
	 * When the exchange that sends the delivery began, ms since the epoch; null while
	 * there is none.
	 */
	sentAt(id: string): number | null {
		return this.#sentAt.get(id) ?? null;
	}

	/**
	 * The task has finished with the delivery: its slot is free, but it stays claimed until it is
	 * written.
	 */
	#land(id: string): void {
		const task = this.#tasks.get(id);
		if (task === undefined) return;
		this.#tasks.delete(id);
		this.#sentAt.delete(id);
		this.#settling.delete(id);
		this.#counts[task] -= 1;
	}

	/**
	 * Frees the delivery's slot and writes the outcome shortly, together with others that have ended
	 * by then, because every outgoing request waits for earlier commits. `writeAgain` retries failed
	 * writes.
	 */
	end(delivery: Delivery): void {
		this.#land(delivery.id);
		// At once: anything begun before the write must see that the slot is taken.
		this.#backlog.jobs.note(delivery);
		this.#claimed.set(delivery.id, delivery);
		this.#weigh(delivery);
		this.#unwritten.delete(delivery.id);
		this.#ended.add(delivery.id);
		if (this.#ended.size === 1) setTimeout(() => this.#writeEnded(), 0);
	}

	#writeEnded(): void {
		const ended = [...this.#ended].flatMap((id) => this.#claimed.get(id) ?? []);
		this.#ended = new Set();
		if (!this.#tryToWrite(ended)) {
			// One by one, so that a delivery that cannot be written does not block the others.
			for (const delivery of ended) if (!this.#tryToWrite([delivery])) this.#unwritten.add(delivery.id);
		}
		for (const { id } of ended) {
			for (const wake of this.#waiters.get(id) ?? []) wake();
			this.#waiters.delete(id);
		}
		// Deliveries that could not be written wait for the alarm.
		if (ended.some(({ id, state }) => "dueAt" in state && !this.#claimed.has(id))) this.#released();
	}

	#tryToWrite(deliveries: readonly Delivery[]): boolean {
		try {
			this.#backlog.record(deliveries);
			for (const { id } of deliveries) this.#forget(id);
			return true;
		} catch (error) {
			const [first, another] = deliveries;
			if (first !== undefined && another === undefined) {
				log("delivery.unwritten", { ...idsOf(first), error: String(error) });
			}
			return false;
		}
	}

	/** Writes a new state of a delivery in progress. Throws if the write fails; memory then still has the new state. */
	replace(delivery: Delivery): void {
		this.#claimed.set(delivery.id, delivery);
		this.#unwritten.add(delivery.id);
		this.#backlog.record([delivery]);
		this.#unwritten.delete(delivery.id);
	}

	/** Resolves when the delivery has ended, written or not; at once if it is not in progress. */
	async whenEnded(id: string): Promise<void> {
		if (!this.#tasks.has(id) && !this.#ended.has(id)) return;
		await new Promise<void>((resolve) => {
			this.#waiters.set(id, [...(this.#waiters.get(id) ?? []), resolve]);
		});
	}

	#weigh(delivery: Delivery): void {
		const { event, result, resultEvent } = delivery;
		const size = lengthOf(event?.data) + lengthOf(result?.data) + lengthOf(resultEvent?.data);
		this.#bytes += size - (this.#sizes.get(delivery.id) ?? 0);
		this.#sizes.set(delivery.id, size);
	}

	#forget(id: string): void {
		this.#claimed.delete(id);
		this.#bytes -= this.#sizes.get(id) ?? 0;
		this.#sizes.delete(id);
	}

	/** Retries the writes that failed. */
	writeAgain(): void {
		for (const id of this.#unwritten) {
			const delivery = this.#claimed.get(id);
			if (delivery === undefined) this.#unwritten.delete(id);
			// A delivery in progress is written when it ends, or here.
			else if (this.#tasks.has(id)) this.#rewrite(delivery);
			else this.end(delivery);
		}
	}

	#rewrite(delivery: Delivery): void {
		try {
			this.replace(delivery);
		} catch (error) {
			log("delivery.unwritten", { ...idsOf(delivery), error: String(error) });
		}
	}
}

/**
 * Length in characters, which equals bytes for most payloads; an exact measure would cost more than
 * it is worth.
 */
function lengthOf(data: EventData | null | undefined): number {
	if (data === null || data === undefined) return 0;
	return data.kind === "binary" ? data.base64.length : data.text.length;
}
