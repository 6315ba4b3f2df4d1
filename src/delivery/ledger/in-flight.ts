/**
 * Deliveries that somebody has claimed: being sent, or finished and still to be written. Until its outcome is
 * written a delivery stays claimed, so that a failure to record can never send it again.
 */
import { log } from "../../log.ts";
import type { Backlog } from "./backlog.ts";
import type { Delivery } from "./delivery-row.ts";
import { idsOf } from "../log-lines.ts";

export class InFlight {
	readonly #claimed = new Map<string, Delivery>();
	/** Finished, but the write of it failed. */
	#unwritten: Delivery[] = [];

	/** By id, as they were when they were claimed. */
	get claimed(): ReadonlyMap<string, Delivery> {
		return this.#claimed;
	}

	begin(delivery: Delivery): void {
		this.#claimed.set(delivery.id, delivery);
	}

	/** Writes what came of a delivery, now or, when that fails, with the next `writeAgain`. */
	end(delivery: Delivery, backlog: Backlog): void {
		try {
			backlog.record([delivery]);
			this.#claimed.delete(delivery.id);
		} catch (error) {
			log("delivery.unwritten", { ...idsOf(delivery), error: String(error) });
			this.#unwritten.push(delivery);
		}
	}

	/** One by one, so that a delivery that cannot be written holds up no other. */
	writeAgain(backlog: Backlog): void {
		const unwritten = this.#unwritten;
		this.#unwritten = [];
		for (const delivery of unwritten) this.end(delivery, backlog);
	}
}
