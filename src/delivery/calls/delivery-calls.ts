/**
 * The API's calls about the deliveries of a dispatcher: to show them and the reason why they are not sent, to send one
 * again, or to cancel one.
 */
import type { Env } from "../../env.ts";
import type { Slice } from "../../events/position.ts";
import { log } from "../../log.ts";
import { isReachable } from "../../store/views/settings.ts";
import type { Backlog } from "../ledger/backlog.ts";
import { listRecords } from "../ledger/queries/listing.ts";
import { type Again, orAgain } from "../or-again.ts";
import type { Presence } from "../presence.ts";
import { toRecord } from "../record.ts";
import type { Change, DeliveryQuery, DeliveryRecord } from "../records.ts";
import { explainBlocked } from "../rules/blocked.ts";
import { canceled, retried } from "../rules/by-hand.ts";
import type { Delivery } from "../rules/delivery.ts";
import { BACKSTOP_MS } from "../rules/wake.ts";
import type { SettingsCache } from "../settings.ts";
import type { Work } from "../work.ts";
import { blockedNow } from "./health.ts";
import { readmit, tellReadmitted } from "./readmit.ts";

export interface DeliveryCallsParts extends Again {
	ctx: Pick<DurableObjectState, "storage" | "waitUntil">;
	env: Env;
	backlog: Backlog;
	settings: SettingsCache;
	presence: Presence;
	work: Work;
	/** Runs the loop of the dispatcher. */
	start(): void;
}

export class DeliveryCalls {
	readonly #parts: DeliveryCallsParts;

	constructor(parts: DeliveryCallsParts) {
		this.#parts = parts;
	}

	async list(query: DeliveryQuery): Promise<Slice<DeliveryRecord>> {
		const { ctx, backlog, work } = this.#parts;
		const { sql } = ctx.storage;
		const { refused } = backlog;
		const { items, rest } = listRecords({ sql, refused, inFlight: work.flights.inFlight }, query);
		return { items: await this.#explain(items), rest };
	}

	async get(id: string): Promise<DeliveryRecord | null> {
		const { backlog, work } = this.#parts;
		const { inFlight } = work.flights;
		const delivery = inFlight.get(id) ?? backlog.find(id);
		if (delivery === null) return null;
		const [record] = await this.#explain([toRecord(delivery, inFlight.has(id))]);
		return record ?? null;
	}

	async retry(id: string): Promise<Change> {
		const { ctx, env, backlog } = this.#parts;
		const readmitted = await readmit(id, backlog, env);
		if (readmitted === null) return this.#changeAndCancelJob(id, retried);
		if ("ok" in readmitted) return readmitted;
		ctx.waitUntil(tellReadmitted(readmitted, env));
		return this.#goOnWith(readmitted);
	}

	async cancel(id: string): Promise<Change> {
		return this.#changeAndCancelJob(id, canceled);
	}

	/** Changes the delivery. If it waited for the output of a job, that job is canceled. */
	async #changeAndCancelJob(id: string, how: typeof retried): Promise<Change> {
		const { ctx, backlog } = this.#parts;
		const before = backlog.find(id);
		const change = await this.#change(id, how);
		if (change.ok && before?.state.phase === "waiting") ctx.waitUntil(this.#cancelJob(before));
		return change;
	}

	/**
	 * Tells the server that the delivery's job is no longer needed. Never throws, because the delivery has already
	 * been changed.
	 */
	async #cancelJob(delivery: Delivery): Promise<void> {
		const { settings, work } = this.#parts;
		await orAgain(this.#parts, async () => {
			// This object may have been woken by the cancel.
			const endpointId = this.#parts.endpointId();
			if (endpointId !== null) await settings.read(endpointId);
			const { last } = settings;
			if (isReachable(last)) work.cancelJob(delivery, last);
		});
	}

	async #change(id: string, change: typeof retried): Promise<Change> {
		const { backlog, work } = this.#parts;
		if (work.flights.claimed.has(id)) return { ok: false, code: "in_flight" };
		const delivery = backlog.find(id);
		if (delivery === null) return { ok: false, code: "delivery_not_found" };
		const changed = change(delivery, { now: Date.now(), random: Math.random() });
		if ("ok" in changed) return changed;
		backlog.change(delivery, changed);
		return this.#goOnWith(changed);
	}

	/** Returns the changed delivery, as it is before any new work begins. */
	async #goOnWith(delivery: Delivery): Promise<Change> {
		await this.#parts.alarm.arm(Date.now() + BACKSTOP_MS);
		const record = toRecord(delivery, false);
		const [explained] = await this.#explain([record]);
		this.#parts.start();
		return { ok: true, delivery: explained ?? record };
	}

	/**
	 * Adds explanations to records for the API. Never throws: without settings, the records show
	 * what is known.
	 */
	async #explain(records: readonly DeliveryRecord[]): Promise<DeliveryRecord[]> {
		const { settings, presence, work } = this.#parts;
		const endpointId = this.#parts.endpointId();
		const areSettingsNeeded = records.some(({ status }) => status === "pending");
		if (endpointId !== null && settings.last === undefined && areSettingsNeeded) {
			// This read may have woken the object, which then does not know yet that its endpoint is paused.
			await settings.read(endpointId).catch((error: unknown) => {
				log("dispatcher.failed", { endpoint_id: endpointId, error: String(error) });
			});
		}
		const blocked = blockedNow(settings, work);
		const now = Date.now();
		return records.map((record) => presence.explain(explainBlocked(record, blocked, now)));
	}
}
