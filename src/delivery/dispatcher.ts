/**
 * The dispatcher: the Durable Object that owns the deliveries of one endpoint. It accepts deliveries, sends as many at
 * once as the endpoint can take, and stores the outcomes. This file contains only its RPC methods and their wiring;
 * its loop and its alarm are in loop.ts.
 *
 * Deliveries in progress are tracked in memory only: a row is written when one ends. After a crash, the table and the
 * inbox still show what is owed. An alarm is set whenever anything is owed, and it resumes the work.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import type { Slice } from "../events/position.ts";
import { log } from "../log.ts";
import { Alarm } from "../objects/alarm.ts";
import { isReachable } from "../store/views/settings.ts";
import { Announcer } from "./announcing/announcer.ts";
import type { BulkAnswer, BulkOrder, BulkPart } from "./bulk/order.ts";
import type { CalledBack, Callback } from "./callback.ts";
import { Callbacks, LATER, NO_DELIVERY } from "./called-back.ts";
import { BulkOrders } from "./calls/bulk-orders.ts";
import { DeliveryCalls } from "./calls/delivery-calls.ts";
import { blockedNow, healthOf } from "./calls/health.ts";
import type { LeasedJob, Outcome } from "./hands/job.ts";
import { Backlog } from "./ledger/backlog.ts";
import type { IncomingEvent } from "./ledger/inbox/incoming.ts";
import { countDeliveries } from "./ledger/inbox/limits.ts";
import { Loop } from "./loop.ts";
import type { Again } from "./or-again.ts";
import { Presence } from "./presence.ts";
import type { Change, DeliveryQuery, DeliveryRecord, SettingsChange } from "./records.ts";
import { Repair } from "./repair.ts";
import type { Blocked, DispatcherRpc, Enqueued, Health } from "./rpc.ts";
import { BACKSTOP_MS } from "./rules/wake.ts";
import { SettingsCache } from "./settings.ts";
import { Work } from "./work.ts";

const ENDPOINT_ID = "endpoint_id";

export class Dispatcher extends DurableObject<Env> implements DispatcherRpc {
	/**
	 * `ep_…`; null until the first delivery arrives. Stored, because an alarm does not say which
	 * endpoint it is for.
	 */
	#endpointId = this.ctx.storage.kv.get<string>(ENDPOINT_ID) ?? null;
	readonly #backlog = new Backlog(this.ctx.storage);
	readonly #settings = new SettingsCache(this.env);
	readonly #repair = new Repair(this.ctx.storage);
	readonly #presence = new Presence(this.ctx.storage);
	readonly #announcer = new Announcer(this.ctx.storage, this.env);
	readonly #alarm = new Alarm(this.ctx);
	readonly #again: Again = { alarm: this.#alarm, endpointId: () => this.#endpointId };
	readonly #work = new Work({
		ctx: this.ctx,
		env: this.env,
		backlog: this.#backlog,
		settings: this.#settings,
		presence: this.#presence,
		announcer: this.#announcer,
		endpointId: () => this.#endpointId ?? "",
		goOn: () => this.#loop.start(),
	});
	readonly #callbacks = new Callbacks({
		env: this.env,
		backlog: this.#backlog,
		flights: this.#work.flights,
		cancelJob: (delivery, settings) => this.#work.cancelJob(delivery, settings),
		follow: async (id, ran, settings) => {
			this.#announcer.died(ran.delivery);
			await this.#work.follow(id, ran, settings, false);
			this.#loop.start();
		},
	});
	readonly #bulk = new BulkOrders({
		...this.#again,
		env: this.env,
		ctx: this.ctx,
		backlog: this.#backlog,
		flights: this.#work.flights,
		settings: this.#settings,
		reachable: () => (isReachable(this.#settings.last) ? this.#settings.last : null),
		tell: (delivery, settings) => this.#work.tellCanceled(delivery, settings),
		start: () => this.#loop.start(),
	});
	readonly #loop = new Loop({
		...this.#again,
		ctx: this.ctx,
		backlog: this.#backlog,
		settings: this.#settings,
		repair: this.#repair,
		presence: this.#presence,
		announcer: this.#announcer,
		work: this.#work,
		bulk: this.#bulk,
	});
	readonly #deliveries = new DeliveryCalls({
		...this.#again,
		ctx: this.ctx,
		env: this.env,
		backlog: this.#backlog,
		settings: this.#settings,
		presence: this.#presence,
		work: this.#work,
		start: () => this.#loop.start(),
	});

	async enqueue(items: IncomingEvent[]): Promise<Enqueued> {
		this.#rememberEndpoint(items);
		const enqueued = this.#backlog.add(items, Date.now());
		this.#noteArrival(items, enqueued);
		// An alarm needs storage too, so none is set for deliveries that did not fit.
		if (enqueued.full.length === countDeliveries(items)) {
			const { last, isOutdated } = this.#settings;
			if (last !== undefined && !isOutdated)
				this.ctx.waitUntil(this.#loop.tell(this.#presence.resolve(last)));
			return enqueued;
		}
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		this.#loop.start();
		return enqueued;
	}

	/** Never throws. */
	#noteArrival(items: readonly IncomingEvent[], { full }: Enqueued): void {
		try {
			this.#announcer.came(items, full.length, this.#backlog.fill(Date.now()));
		} catch (error) {
			log("dispatcher.failed", { endpoint_id: this.#endpointId, error: String(error) });
		}
	}

	refresh(change: SettingsChange = { repaired: false }): void {
		this.#settings.outdate();
		if (change.repaired) {
			this.#work.repaired();
			this.#repair.begin(Date.now());
		}
		this.#loop.start();
	}

	markDeleted(): void {
		this.#presence.markDeleted();
		this.refresh();
	}

	list(query: DeliveryQuery): Promise<Slice<DeliveryRecord>> {
		return this.#deliveries.list(query);
	}

	get(id: string): Promise<DeliveryRecord | null> {
		return this.#deliveries.get(id);
	}

	blocked(): Blocked {
		return blockedNow(this.#settings, this.#work);
	}

	health(): Health {
		return healthOf(this.#work, this.#backlog, this.blocked(), Date.now());
	}

	retry(id: string): Promise<Change> {
		return this.#deliveries.retry(id);
	}

	cancel(id: string): Promise<Change> {
		return this.#deliveries.cancel(id);
	}

	bulk(order: BulkOrder, isBegun = false): Promise<BulkAnswer> {
		return this.#bulk.take(order, isBegun);
	}

	stopBulk(id: string): BulkPart | null {
		return this.#bulk.stop(id);
	}

	async callBack(id: string, callback: Callback): Promise<CalledBack> {
		if (this.#endpointId === null) return NO_DELIVERY;
		const settings = this.#presence.resolve(await this.#settings.read(this.#endpointId));
		// A hand may have the request that began the job, and this life does not know of it yet.
		if (this.#work.pool.isRecovering) await this.#loop.recover();
		if (this.#work.pool.isRecovering) return LATER;
		// In case the object is lost between the end of the job and the next step.
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		return this.#callbacks.take(id, callback, settings);
	}

	async settle(hand: number, incarnation: string, outcomes: Outcome[]): Promise<LeasedJob[]> {
		const { pool } = this.#work;
		// Exchanges that an earlier life began are judged by these settings; those of this life are judged by the
		// settings that they were sent with.
		const isOwn = outcomes.every(({ held }) => pool.isAwaited(held.token));
		if (this.#endpointId !== null && !isOwn) await this.#settings.read(this.#endpointId);
		this.#loop.start();
		return pool.settle(hand, incarnation, outcomes);
	}

	override async alarm(): Promise<void> {
		await this.#loop.wake();
	}

	#rememberEndpoint(items: IncomingEvent[]): void {
		const id = items[0]?.decisions[0]?.endpointId;
		if (this.#endpointId !== null || id === undefined) return;
		this.ctx.storage.kv.put(ENDPOINT_ID, id);
		this.#endpointId = id;
	}
}
