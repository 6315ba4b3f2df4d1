/**
 * Deliveries that are under way: claimed for a task, or finished and still to be written. Until its outcome is written a
 * delivery stays claimed, so that a failure to record can never send it again.
 */
import { log } from "../log.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { idsOf } from "./log-lines.ts";
import type { Delivery } from "./rules/delivery.ts";
import type { TaskName } from "./tasks/task.ts";

export class Flights {
	readonly #backlog: Pick<Backlog, "record">;
	readonly #claimed = new Map<string, Delivery>();
	readonly #tasks = new Map<string, TaskName>();
	readonly #counts: Record<TaskName, number> = { send: 0, publish: 0 };
	/** Finished, but the write of it failed. */
	#unwritten: Delivery[] = [];
	readonly #waiters = new Map<string, (() => void)[]>();

	constructor(backlog: Pick<Backlog, "record">) {
		this.#backlog = backlog;
	}

	/** By id, as they were when they were claimed, or as an end that came meanwhile has left them. */
	get claimed(): ReadonlyMap<string, Delivery> {
		return this.#claimed;
	}

	/** How many a task has under way. */
	count(task: TaskName): number {
		return this.#counts[task];
	}

	begin(delivery: Delivery, task: TaskName): void {
		this.#claimed.set(delivery.id, delivery);
		this.#tasks.set(delivery.id, task);
		this.#counts[task] += 1;
	}

	/** The task is done with the delivery: the slot is free, and the delivery claimed until it is written. */
	land(id: string): void {
		const task = this.#tasks.get(id);
		if (task === undefined) return;
		this.#tasks.delete(id);
		this.#counts[task] -= 1;
	}

	/** Writes what came of a delivery, now or, when that fails, with the next `writeAgain`. */
	end(delivery: Delivery): void {
		this.land(delivery.id);
		try {
			this.#backlog.record([delivery]);
			this.#claimed.delete(delivery.id);
		} catch (error) {
			log("delivery.unwritten", { ...idsOf(delivery), error: String(error) });
			this.#unwritten.push(delivery);
		}
		for (const wake of this.#waiters.get(delivery.id) ?? []) wake();
		this.#waiters.delete(delivery.id);
	}

	/** Writes what an end that came late has made of a delivery that is under way again. */
	replace(delivery: Delivery): void {
		this.#claimed.set(delivery.id, delivery);
		this.#backlog.record([delivery]);
	}

	/** Resolves when the delivery has come to its end, written or not; at once when it is not under way. */
	async whenEnded(id: string): Promise<void> {
		if (!this.#tasks.has(id)) return;
		await new Promise<void>((resolve) => {
			this.#waiters.set(id, [...(this.#waiters.get(id) ?? []), resolve]);
		});
	}

	/** One by one, so that a delivery that cannot be written holds up no other. */
	writeAgain(): void {
		const unwritten = this.#unwritten;
		this.#unwritten = [];
		for (const delivery of unwritten) this.end(delivery);
	}
}
