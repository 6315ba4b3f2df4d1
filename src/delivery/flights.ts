/**
 * Deliveries that are under way: claimed for a task, or finished and still to be written. Until its outcome is written a
 * delivery stays claimed, so that a failure to record can never send it again.
 */
import type { EventData } from "../events/event.ts";
import { log } from "../log.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { idsOf } from "./log-lines.ts";
import type { Delivery } from "./rules/delivery.ts";
import type { TaskName } from "./tasks/task.ts";

export class Flights {
	readonly #backlog: Pick<Backlog, "record" | "jobs">;
	/** Called when something is written that is still owed, and nobody's any more. */
	readonly #released: () => void;
	readonly #claimed = new Map<string, Delivery>();
	readonly #tasks = new Map<string, TaskName>();
	readonly #counts: Record<TaskName, number> = { send: 0, poll: 0, publish: 0 };
	/** When the exchange of a delivery began that is being sent, ms since the epoch. */
	readonly #sentAt = new Map<string, number>();
	readonly #sizes = new Map<string, number>();
	#bytes = 0;
	/** Finished, and to be written together with what ends at the same time. */
	#ended: Delivery[] = [];
	/** Finished, but the write of it failed. */
	#unwritten: Delivery[] = [];
	readonly #waiters = new Map<string, (() => void)[]>();

	constructor(backlog: Pick<Backlog, "record" | "jobs">, released: () => void) {
		this.#backlog = backlog;
		this.#released = released;
	}

	/** By id, as they were when they were claimed, or as an end that came meanwhile has left them. */
	get claimed(): ReadonlyMap<string, Delivery> {
		return this.#claimed;
	}

	/** How many a task has under way. */
	count(task: TaskName): number {
		return this.#counts[task];
	}

	/** Bytes of the events that are held, and of results that wait to be written with them. */
	get bytes(): number {
		return this.#bytes;
	}

	begin(delivery: Delivery, task: TaskName): void {
		this.#weigh(delivery);
		this.#claimed.set(delivery.id, delivery);
		this.#tasks.set(delivery.id, task);
		this.#counts[task] += 1;
	}

	/** The exchange that sends the delivery has begun. */
	sent(id: string, at: number): void {
		if (this.#tasks.get(id) === "send") this.#sentAt.set(id, at);
	}

	/** Whether the delivery is claimed to be sent, its request under way or still being made. */
	isSending(id: string): boolean {
		return this.#tasks.get(id) === "send";
	}

	/** When the exchange began that is sending the delivery; null while none is. */
	sentAt(id: string): number | null {
		return this.#sentAt.get(id) ?? null;
	}

	/** The task is done with the delivery: the slot is free, and the delivery claimed until it is written. */
	#land(id: string): void {
		const task = this.#tasks.get(id);
		if (task === undefined) return;
		this.#tasks.delete(id);
		this.#sentAt.delete(id);
		this.#counts[task] -= 1;
	}

	/**
	 * The delivery's slot is free, and what came of it is written in a moment, with whatever else has ended by then,
	 * because every request that leaves behind a commit waits for it. What cannot be written now is tried again by
	 * `writeAgain`.
	 */
	end(delivery: Delivery): void {
		this.#land(delivery.id);
		// At once: whatever is begun before it is written has to know that the slot is taken.
		this.#backlog.jobs.note(delivery);
		this.#claimed.set(delivery.id, delivery);
		this.#weigh(delivery);
		this.#ended.push(delivery);
		if (this.#ended.length === 1) setTimeout(() => this.#writeEnded(), 0);
	}

	#writeEnded(): void {
		const ended = this.#ended;
		this.#ended = [];
		if (!this.#tryToWrite(ended)) {
			// One by one, so that a delivery that cannot be written holds up no other.
			for (const delivery of ended) if (!this.#tryToWrite([delivery])) this.#unwritten.push(delivery);
		}
		for (const { id } of ended) {
			for (const wake of this.#waiters.get(id) ?? []) wake();
			this.#waiters.delete(id);
		}
		// What could not be written waits for the alarm.
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

	/** Writes what an end that came late has made of a delivery that is under way again. */
	replace(delivery: Delivery): void {
		this.#claimed.set(delivery.id, delivery);
		this.#backlog.record([delivery]);
	}

	/** Resolves when the delivery has come to its end, written or not; at once when it is not under way. */
	async whenEnded(id: string): Promise<void> {
		if (!this.#tasks.has(id) && !this.#ended.some((delivery) => delivery.id === id)) return;
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

	/** Tries once more to write what could not be written. */
	writeAgain(): void {
		const unwritten = this.#unwritten;
		this.#unwritten = [];
		for (const delivery of unwritten) this.end(delivery);
	}
}

/** Characters, which are bytes for most payloads; measuring more exactly would cost more than it tells. */
function lengthOf(data: EventData | null | undefined): number {
	if (data === null || data === undefined) return 0;
	return data.kind === "binary" ? data.base64.length : data.text.length;
}
